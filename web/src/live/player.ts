// A live picture: fragments over a WebSocket into Media Source Extensions, kept close to the live edge.
// A picture that stands still is never passed off as live: `lastPicture` is when one was last put on the screen, not
// when one was sent, so a decoder that gives up is seen, said, and begun anew.
import { purposeOver } from "../client/http";

export interface LiveState {
  phase: "connecting" | "playing" | "problem";
  problem: string;
  lastPicture: number;
  delay: number;
  /** Which stream is shown, and why it is another than asked for (a code, or nothing). */
  quality: string;
  because: string;
}

const BEHIND_MOST_S = 0.8;
const KEEP_S = 12;
const STALLED_MS = 3_000;
const HOPELESS_MS = 6_000;
const FOR_GOOD = new Set(["purpose-over", "not-signed-in", "purpose-needed"]);
const HEVC = 'video/mp4; codecs="hvc1.1.6.L120.90"';
const NTP_UNIX_S = 2_208_988_800;

/** The wall instant (ms) that a fragment's `prft` box carries, or 0. */
export function wallOf(fragment: ArrayBuffer): number {
  const view = new DataView(fragment);
  if (fragment.byteLength < 32 || view.getUint32(4) !== 0x70726674) return 0;
  return (view.getUint32(16) - NTP_UNIX_S) * 1000 + (view.getUint32(20) / 2 ** 32) * 1000;
}

export class LivePlayer {
  private socket: WebSocket | null = null;
  private media: MediaSource | null = null;
  private buffer: SourceBuffer | null = null;
  private queue: ArrayBuffer[] = [];
  private closed = false;
  private falls = 0;
  private wall = 0;
  private picture = 0;
  private data = 0;
  private timer: ReturnType<typeof setInterval>;
  private quality: string;

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly channel: string,
    quality: "main" | "sub",
    private readonly purpose: string,
    private readonly tell: (state: Partial<LiveState>) => void,
  ) {
    this.quality = quality;
    this.connect();
    this.timer = setInterval(() => this.tend(), 250);
    this.watch();
  }

  close(): void {
    this.closed = true;
    clearInterval(this.timer);
    this.socket?.close();
    if (this.video.src) URL.revokeObjectURL(this.video.src);
    this.video.removeAttribute("src");
    this.video.load();
  }

  private connect(): void {
    if (this.closed) return;
    const base = location.origin.replace(/^http/, "ws");
    const query = new URLSearchParams({ quality: this.quality, purpose: this.purpose });
    if (MediaSource.isTypeSupported(HEVC)) query.set("hevc", "true");
    const socket = new WebSocket(`${base}/api/channels/${this.channel}/live?${query}`);
    socket.binaryType = "arraybuffer";
    socket.onmessage = (event: MessageEvent<string | ArrayBuffer>) => {
      if (typeof event.data === "string") this.begin(JSON.parse(event.data) as Record<string, string>);
      else this.take(event.data);
    };
    socket.onclose = () => {
      if (this.closed || this.socket !== socket) return;
      this.falls += 1;
      setTimeout(() => this.connect(), Math.min(8000, 500 * 2 ** this.falls));
    };
    this.socket = socket;
  }

  private begin(said: Record<string, string>): void {
    if (said["code"]) {
      if (said["code"] === "no-sub-stream" && this.quality === "sub") this.quality = "main";
      this.tell({ phase: "problem", problem: said["code"] });
      if (FOR_GOOD.has(said["code"])) this.closed = true;
      if (said["code"] === "purpose-over") purposeOver(this.purpose);
      return;
    }
    this.tell({ quality: said["quality"] ?? this.quality, because: said["because"] ?? "" });
    const type = `video/mp4; codecs="${said["codec"]}"`;
    if (!MediaSource.isTypeSupported(type)) {
      if (this.quality === "main") {
        this.quality = "sub";
        this.socket?.close();
      } else this.tell({ phase: "problem", problem: "codec-not-playable" });
      return;
    }
    this.queue = [];
    this.buffer = null;
    this.picture = 0;
    const media = new MediaSource();
    this.media = media;
    if (this.video.src) URL.revokeObjectURL(this.video.src);
    this.video.src = URL.createObjectURL(media);
    media.addEventListener("sourceopen", () => {
      if (this.media !== media || this.buffer) return;
      this.buffer = media.addSourceBuffer(type);
      this.buffer.mode = "segments";
      this.buffer.addEventListener("updateend", () => this.append());
      this.append();
    });
  }

  private take(data: ArrayBuffer): void {
    const wall = wallOf(data);
    if (wall) {
      this.wall = wall;
      this.data = Date.now();
      this.picture ||= this.data;
    }
    this.queue.push(data);
    this.append();
  }

  /** Hear of each picture that is put on the screen. */
  private watch(): void {
    this.video.requestVideoFrameCallback(() => {
      if (this.closed) return;
      this.picture = Date.now();
      this.falls = 0;
      this.tell({ phase: "playing", problem: "", lastPicture: this.picture });
      this.watch();
    });
  }

  /** Whether pictures come and none is shown: then say so, and after a while begin with another decoder. */
  private stalled(): boolean {
    const now = Date.now();
    const dark = this.picture > 0 && now - this.picture > STALLED_MS && now - this.data < STALLED_MS && !document.hidden;
    if (dark) this.tell({ phase: "problem", problem: "decoder-stalled" });
    if (this.video.error || (dark && now - this.picture > HOPELESS_MS)) {
      this.picture = now;
      this.socket?.close();
    }
    return dark;
  }

  private append(): void {
    if (!this.buffer || this.buffer.updating || this.media?.readyState !== "open") return;
    const next = this.queue.shift();
    if (!next) return;
    try {
      this.buffer.appendBuffer(next);
    } catch {
      this.socket?.close(); // the buffer is full or broken: begin anew
    }
  }

  private tend(): void {
    const { video, buffer } = this;
    if (this.stalled() || video.error) return;
    if (!buffer || !video.buffered.length) return;
    const end = video.buffered.end(video.buffered.length - 1);
    const behind = end - video.currentTime;
    if (behind > BEHIND_MOST_S || behind < 0) video.currentTime = Math.max(0, end - 0.12);
    else video.playbackRate = behind > 0.35 ? 1.08 : 1;
    if (video.paused) void video.play().catch(() => undefined);
    if (this.wall) this.tell({ delay: Math.max(0, (Date.now() - this.wall) / 1000 + Math.max(0, behind)) });
    const start = video.buffered.start(0);
    if (!buffer.updating && video.currentTime - start > KEEP_S * 2) buffer.remove(start, video.currentTime - KEEP_S);
  }
}
