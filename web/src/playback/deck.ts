// One camera being played back: footage fetched fragment by fragment into Media Source Extensions, placed in wall time.
// `origin` is the wall instant (ms) of media time zero; several decks with one origin run in step.
import { ask, send, textOf, withQuery } from "../client/http";
import type { Manifest } from "../client/types";
import { t } from "../i18n/index.svelte";
import { soundless } from "./soundless";

const WINDOW_MS = 180_000;
const AHEAD_S = 14;
const BEHIND_S = 20;
const FRAGMENTS_AT_ONCE = 8;

const VIDEO_CLOCK = 90_000;
const TFDT = 80; // in a fragment of ours: prft (32), moof and mfhd (24), traf and tfhd (24) come before it

/** The decode time, in ticks, at which a fragment of ours begins. */
export function baseOf(fragment: ArrayBuffer): number {
  const view = new DataView(fragment);
  if (view.byteLength < TFDT + 20 || view.getUint32(TFDT + 4) !== 0x74666474) return 0;
  return Number(view.getBigUint64(TFDT + 12));
}

export class Deck {
  problem = "";
  private media = new MediaSource();
  private buffer: SourceBuffer | null = null;
  private manifest: Manifest | null = null;
  private span: [number, number] = [0, 0];
  private init = "";
  private busy = false;
  private closed = false;
  private timer: ReturnType<typeof setInterval>;
  private done = new Set<string>();

  constructor(
    private readonly video: HTMLVideoElement,
    readonly channel: string,
    private readonly origin: number,
    private readonly wanted: () => number,
  ) {
    video.src = URL.createObjectURL(this.media);
    this.timer = setInterval(() => void this.fill(), 200);
  }

  close(): void {
    this.closed = true;
    clearInterval(this.timer);
    URL.revokeObjectURL(this.video.src);
    this.video.removeAttribute("src");
    this.video.load();
  }

  /** Keep the picture at the wall instant `at`, running at `rate`; whether there is a picture for it. */
  follow(at: number, rate: number, playing: boolean): boolean {
    const target = (at - this.origin) / 1000;
    const ready = this.has(target);
    if (!ready) {
      this.video.pause();
      return false;
    }
    if (Math.abs(this.video.currentTime - target) > Math.max(0.25, 0.3 * rate)) this.video.currentTime = target;
    this.video.playbackRate = Math.min(16, Math.max(0.25, rate));
    if (playing && this.video.paused) void this.video.play().catch(() => undefined);
    if (!playing && !this.video.paused) this.video.pause();
    return true;
  }

  private has(target: number): boolean {
    const { buffered } = this.video;
    for (let i = 0; i < buffered.length; i += 1) {
      if (buffered.start(i) - 0.05 <= target && target < buffered.end(i) - 0.02) return true;
    }
    return false;
  }

  private async fill(): Promise<void> {
    if (this.busy || this.closed || this.media.readyState !== "open" || this.buffer?.updating) return;
    this.busy = true;
    try {
      const shown = await this.step(this.wanted());
      this.problem = shown || !this.manifest?.unreachable.length ? "" : t("error.footage-unreachable");
    } catch (error) {
      this.problem = textOf(error);
    }
    this.busy = false;
  }

  /** Fetch what is due next; whether any of it was, or is here already. */
  private async step(at: number): Promise<boolean> {
    const recent = Date.now() - at < WINDOW_MS;
    const stale = at < this.span[0] || at + AHEAD_S * 1000 > this.span[1] - (recent ? 0 : 30_000);
    if (!this.manifest || stale) await this.readManifest(at);
    const next = this.nextPiece(at);
    if (next) await this.fetch(next.segment, next.first, next.last);
    else this.trim(at);
    return next !== null || this.has((at - this.origin) / 1000);
  }

  private async readManifest(at: number): Promise<void> {
    const from = at - 20_000;
    const to = Math.min(at + WINDOW_MS, Date.now());
    if (to <= from) return;
    const query = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
    this.manifest = await ask<Manifest>(withQuery(`/api/channels/${this.channel}/playback`, query));
    this.span = [from, to];
  }

  private nextPiece(at: number): { segment: Manifest["segments"][number]; first: number; last: number } | null {
    for (const segment of this.manifest?.segments ?? []) {
      const due = segment.fragments.filter(([index, start, duration]) => {
        const begins = start / 1000;
        const ends = (start + duration) / 1000;
        return ends > at - 300 && begins < at + AHEAD_S * 1000 && !this.done.has(`${segment.id}/${index}`);
      });
      const first = due[0];
      if (first) {
        const run = due.slice(0, FRAGMENTS_AT_ONCE).filter(([index], n) => index === first[0] + n);
        return { segment, first: first[0], last: run[run.length - 1]![0] };
      }
    }
    return null;
  }

  private async fetch(segment: Manifest["segments"][number], first: number, last: number): Promise<void> {
    const type = `video/mp4; codecs="${segment.codec}"`;
    if (!MediaSource.isTypeSupported(type)) {
      this.problem = `codec:${segment.codec}`;
      for (const [index] of segment.fragments) this.done.add(`${segment.id}/${index}`);
      throw new Error(this.problem);
    }
    const base = `/api/channels/${this.channel}/playback/${segment.id}`;
    if (!this.buffer) {
      this.buffer = this.media.addSourceBuffer(type);
      this.buffer.mode = "segments";
    }
    if (this.init !== segment.init_id) {
      const init = soundless(await (await send(`${base}/init`)).arrayBuffer());
      this.buffer.changeType(type);
      await this.append(init);
      this.init = segment.init_id;
    }
    const media = soundless(await (await send(withQuery(`${base}/media`, { first, last }))).arrayBuffer());
    const begins = segment.fragments.find(([index]) => index === first)![1];
    this.buffer.timestampOffset = begins / 1e6 - this.origin / 1000 - baseOf(media) / VIDEO_CLOCK;
    for (let index = first; index <= last; index += 1) this.done.add(`${segment.id}/${index}`);
    if (!this.closed) await this.append(media);
  }

  private append(data: ArrayBuffer): Promise<void> {
    const buffer = this.buffer;
    if (!buffer || this.closed) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const end = () => resolve();
      buffer.addEventListener("updateend", end, { once: true });
      try {
        buffer.appendBuffer(data);
      } catch (error) {
        buffer.removeEventListener("updateend", end);
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  }

  /** Let go of what lies far from the wanted instant. */
  private trim(at: number): void {
    const { buffered } = this.video;
    const target = (at - this.origin) / 1000;
    if (!this.buffer || this.buffer.updating || !buffered.length) return;
    const start = buffered.start(0);
    if (target - start > BEHIND_S * 2) {
      this.buffer.remove(start, target - BEHIND_S);
      for (const segment of this.manifest?.segments ?? []) {
        for (const [index, begins, duration] of segment.fragments) {
          if ((begins + duration) / 1000 < at - BEHIND_S * 1000) this.done.delete(`${segment.id}/${index}`);
        }
      }
    }
  }
}
