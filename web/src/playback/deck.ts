// One camera being played back: footage fetched fragment by fragment into Media Source Extensions, placed in wall time.
// A deck knows which instant its picture is from; who leads and who follows is decided by the conductor.
import { ask, send, ServerError, textOf, withQuery } from "../client/http";
import type { Manifest } from "../client/types";
import { t } from "../i18n/index.svelte";
import { held, neighbour, picturesOf, VIDEO_CLOCK } from "./pictures";
import { soundless } from "./soundless";

/** The wall instant (ms) of media time zero: one for all decks, and before any footage. */
export const ORIGIN = Date.UTC(2015, 0, 1);

const WINDOW_MS = 180_000;
const AHEAD_S = 14;
const AHEAD_MOST_S = 90;
const BEHIND_S = 20;
const A_LITTLE_BACK_MS = 3_000; // kept ready while standing, for steps backwards
const FRAGMENTS_AT_ONCE = 8;
const READ_AGAIN_MS = 1_000;
const REST_MS = 1_500;
const INTO_A_PICTURE_S = 0.0015; // so that no rounding shows the picture before
const FAR_S = 0.3;
const AT_THE_END_S = 0.4; // a browser may stop a little before the end of what it has
const AT_THE_END_MS = 300;
const STALLED_MS = 2_500;
const HOPELESS_MS = 7_000;

type Segment = Manifest["segments"][number];
interface Piece { start: number; end: number; starts: number[]; here: boolean; bad: boolean }
interface Due { segment: Segment; first: number; last: number }

export class Deck {
  problem = "";
  private media = new MediaSource();
  private buffer: SourceBuffer | null = null;
  private manifest: Manifest | null = null;
  private span: [number, number] = [0, 0];
  private read = 0;
  private restUntil = 0;
  private init = "";
  private busy = false;
  private closed = false;
  private jumping = true;
  private rate = 1;
  private pieces = new Map<string, Piece>();
  private moved = { time: 0, pictures: 0, at: 0 };
  private timer: ReturnType<typeof setInterval>;

  constructor(
    private readonly video: HTMLVideoElement,
    readonly channel: string,
    private readonly wanted: () => number,
  ) {
    this.open();
    this.timer = setInterval(() => void this.fill(), 150);
  }

  close(): void {
    this.closed = true;
    clearInterval(this.timer);
    URL.revokeObjectURL(this.video.src);
    this.video.removeAttribute("src");
    this.video.load();
  }

  // what the conductor asks and says

  /** Whether there is a picture for `at`. */
  ready(at: number): boolean {
    return this.has(mediaTime(at)) && !this.video.error;
  }

  /** The instant of the picture that is shown now; nothing while it is being found. */
  get now(): number | null {
    return this.video.seeking || this.jumping ? null : ORIGIN + this.video.currentTime * 1000;
  }

  /** Somebody went to another instant. */
  jump(): void {
    this.jumping = true;
  }

  /** Stand still on the picture of `at`. */
  stand(at: number): void {
    if (!this.video.paused) this.video.pause();
    this.moved.at = performance.now();
    const target = mediaTime(at) + INTO_A_PICTURE_S;
    if (this.video.seeking || !this.has(target)) return;
    if (Math.abs(this.video.currentTime - target) > 0.0004) this.video.currentTime = target;
    this.jumping = false;
  }

  /** Run at `rate` from `at`; who does not lead keeps in step with `at`. False where the decoder stands still. */
  run(at: number, rate: number, leads: boolean): boolean {
    const { video } = this;
    this.rate = rate;
    const target = mediaTime(at);
    const ahead = video.currentTime - target;
    const away = leads ? ahead < -0.1 || ahead > 1 + rate : Math.abs(ahead) > Math.max(FAR_S, FAR_S * rate);
    if (!video.seeking && (this.jumping || away)) {
      video.currentTime = target + INTO_A_PICTURE_S;
      this.jumping = false;
    }
    const correction = leads ? 0 : Math.min(0.3, Math.max(-0.3, (-ahead / rate) * 1.5));
    const speed = Math.min(16, Math.max(0.1, rate * (1 + correction)));
    if (Math.abs(video.playbackRate - speed) > 0.002) video.playbackRate = speed;
    if (video.paused) void video.play().catch(() => undefined);
    return this.moving();
  }

  /** Where what is here ends, once the picture has come to stand just before it. */
  get ended(): number | null {
    const { buffered, currentTime } = this.video;
    if (performance.now() - this.moved.at < AT_THE_END_MS) return null;
    for (let i = 0; i < buffered.length; i += 1) {
      const left = buffered.end(i) - currentTime;
      if (left >= 0 && left < AT_THE_END_S) return ORIGIN + buffered.end(i) * 1000;
    }
    return null;
  }

  /** The picture after or before the one at `at`, as an instant; nothing where it is not here (yet). */
  neighbour(at: number, direction: 1 | -1): number | null {
    return neighbour(this.starts(), at, direction);
  }

  /** The instant at which the picture of `at` began. */
  snapped(at: number): number {
    const starts = this.starts();
    return starts[held(starts, at)] ?? at;
  }

  /** Whether all that there is around `at` is here already. */
  idle(at: number): boolean {
    return !this.busy && this.span[0] <= at && at < this.span[1] && !this.nextPiece(at);
  }

  /** Where the picture goes on after `at`, at most `within` ms later and with nothing to come in between. */
  goesOn(at: number, within: number): number | null {
    const next = this.idle(at) ? this.starts().find((start) => start > at) : undefined;
    return next !== undefined && next - at < within ? next : null;
  }

  /** Whether the footage of `at` cannot be decoded. */
  broken(at: number): boolean {
    return [...this.pieces.values()].some((piece) => piece.bad && piece.start <= at && at < piece.end);
  }

  /** The codec of `at` where this browser cannot play it. */
  unplayable(at: number): string {
    const segment = this.manifest?.segments.find((one) => one.fragments.some(([, start, long]) => start / 1000 <= at && at < (start + long) / 1000));
    return segment && !playable(segment) ? segment.codec : "";
  }

  private starts(): number[] {
    return [...this.pieces.values()].flatMap((piece) => piece.starts).sort((a, b) => a - b);
  }

  private has(target: number): boolean {
    const { buffered } = this.video;
    for (let i = 0; i < buffered.length; i += 1) {
      if (buffered.start(i) - 0.001 <= target && target < buffered.end(i) - 0.001) return true;
    }
    return false;
  }

  /** Whether pictures really come while it plays; a decoder that gives up is begun anew. */
  private moving(): boolean {
    const { video, moved } = this;
    const now = performance.now();
    const pictures = video.getVideoPlaybackQuality().totalVideoFrames;
    const passed = () => this.starts().some((start) => moved.time < mediaTime(start) && mediaTime(start) < video.currentTime - 0.1);
    const still = video.currentTime === moved.time || (pictures === moved.pictures && passed());
    if (!still || document.hidden) this.moved = { time: video.currentTime, pictures, at: now };
    if (video.error) this.restart(true);
    else if (now - moved.at > HOPELESS_MS) this.restart(false);
    return now - this.moved.at < STALLED_MS;
  }

  // how footage comes

  private open(): void {
    if (this.video.src) URL.revokeObjectURL(this.video.src);
    this.media = new MediaSource();
    this.video.src = URL.createObjectURL(this.media);
    [this.buffer, this.init, this.jumping] = [null, "", true];
    this.moved = { time: 0, pictures: 0, at: performance.now() };
  }

  /** Begin anew with another decoder; what broke the last one is left out and said. */
  private restart(broken: boolean): void {
    const at = this.wanted();
    const unread = this.video.error?.message.includes("CHUNK_DEMUXER"); // it broke while taking in, not while showing
    const blamed = (piece: Piece) => (unread ? !piece.here : piece.start <= at + 500 && at < piece.end);
    const bad = [...this.pieces].filter(([, piece]) => piece.bad || (broken && blamed(piece)));
    this.pieces = new Map(bad.map(([key, piece]) => [key, { ...piece, bad: true, starts: [] }]));
    this.open();
  }

  private async fill(): Promise<void> {
    if (this.video.error) this.restart(true);
    if (this.busy || this.closed || this.media.readyState !== "open" || this.buffer?.updating || performance.now() < this.restUntil) return;
    this.busy = true;
    try {
      await this.step(this.wanted());
      this.problem = this.trouble(this.wanted());
    } catch (error) {
      this.problem = textOf(error);
      this.restUntil = performance.now() + REST_MS;
      if (!(error instanceof ServerError)) this.restart(false);
    }
    this.busy = false;
  }

  private trouble(at: number): string {
    if (this.broken(at)) return t("error.picture-unreadable");
    return this.manifest?.unreachable.length && !this.ready(at) ? t("error.footage-unreachable") : "";
  }

  /** Fetch what is due next, and let go of what lies far away. */
  private async step(at: number): Promise<void> {
    const stale = at < this.span[0] || at + AHEAD_S * 1000 > this.span[1];
    if (!this.manifest || (stale && performance.now() - this.read > READ_AGAIN_MS)) await this.readManifest(at);
    this.notice();
    const next = this.nextPiece(at);
    if (next) await this.fetch(next);
    else this.trim(at);
  }

  private async readManifest(at: number): Promise<void> {
    const [from, to] = [at - 20_000, Math.min(at + WINDOW_MS, Date.now())];
    if (to <= from) return;
    this.read = performance.now();
    const query = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
    this.manifest = await ask<Manifest>(withQuery(`/api/channels/${this.channel}/playback`, query));
    this.span = [from, to];
  }

  /** What the browser threw out by itself is not here any more. */
  private notice(): void {
    for (const [key, piece] of this.pieces) {
      const here = this.has(mediaTime((piece.start + piece.end) / 2));
      if (piece.here && !here && !piece.bad) this.pieces.delete(key);
      piece.here ||= here;
    }
  }

  /** From the picture of `at` on; while standing, then a little of what came before, for steps backwards. */
  private nextPiece(at: number): Due | null {
    const ahead = Math.min(AHEAD_MOST_S, AHEAD_S * Math.max(1, this.rate)) * 1000;
    return this.due(at, at + ahead) ?? this.due(at - A_LITTLE_BACK_MS, at);
  }

  private due(from: number, to: number): Due | null {
    for (const segment of this.manifest?.segments ?? []) {
      if (!playable(segment)) continue;
      const due = segment.fragments.filter(([index, start, long]) => (start + long) / 1000 > from && start / 1000 < to && !this.pieces.has(`${segment.id}/${index}`));
      const first = due[0];
      if (!first) continue;
      const run = due.slice(0, FRAGMENTS_AT_ONCE).filter(([index], n) => index === first[0] + n);
      return { segment, first: first[0], last: run[run.length - 1]![0] };
    }
    return null;
  }

  private async fetch({ segment, first, last }: Due): Promise<void> {
    const type = `video/mp4; codecs="${segment.codec}"`;
    const base = `/api/channels/${this.channel}/playback/${segment.id}`;
    const [media, fresh] = [this.media, this.init !== segment.init_id];
    const init = fresh ? soundless(await (await send(`${base}/init`)).arrayBuffer()) : null;
    const data = soundless(await (await send(withQuery(`${base}/media`, { first, last }))).arrayBuffer());
    if (this.closed || this.media !== media) return;
    if (!this.buffer) {
      this.buffer = media.addSourceBuffer(type);
      this.buffer.mode = "segments";
    }
    if (init) {
      this.buffer.changeType(type);
      await this.append(init);
      this.init = segment.init_id;
    }
    const told = picturesOf(data);
    const begins = segment.fragments.find(([index]) => index === first)![1] / 1000;
    const zero = begins - ((told[0]?.base ?? 0) / VIDEO_CLOCK) * 1000; // the instant of the file's own time zero
    this.buffer.timestampOffset = mediaTime(zero);
    for (let index = first; index <= last; index += 1) {
      const [, start, long] = segment.fragments.find(([one]) => one === index) ?? [index, begins * 1000, 0];
      const starts = (told[index - first]?.shown ?? []).map((ticks) => zero + (ticks / VIDEO_CLOCK) * 1000);
      this.pieces.set(`${segment.id}/${index}`, { start: start / 1000, end: (start + long) / 1000, starts, here: false, bad: false });
    }
    await this.append(data);
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

  /** Let go of what lies far before or behind the wanted instant, and know that it is gone. */
  private trim(at: number): void {
    const { buffered } = this.video;
    if (!this.buffer || this.buffer.updating || !buffered.length) return;
    const target = mediaTime(at);
    const [first, last] = [buffered.start(0), buffered.end(buffered.length - 1)];
    if (target - first > BEHIND_S * 2) this.remove(first, Math.min(last, target - BEHIND_S));
    else if (last - target > AHEAD_MOST_S * 2) this.remove(Math.max(first, target + AHEAD_MOST_S + BEHIND_S), last + 1);
  }

  private remove(from: number, to: number): void {
    if (!this.buffer || to <= from) return;
    this.buffer.remove(from, to);
    for (const [key, piece] of this.pieces) {
      if (!piece.bad && mediaTime(piece.start) < to && mediaTime(piece.end) > from) this.pieces.delete(key);
    }
  }
}

function mediaTime(at: number): number {
  return (at - ORIGIN) / 1000;
}

function playable(segment: Segment): boolean {
  return MediaSource.isTypeSupported(`video/mp4; codecs="${segment.codec}"`);
}
