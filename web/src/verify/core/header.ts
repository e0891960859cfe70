// The header of a clip, made anew from init segments, heads and range (docs/spec/bundle.md, "The header of a clip").
import { join, need, utf8, type Bytes } from "./bytes";

const CLOCK = 90_000;
const VIDEO = 1, AUDIO = 2;
const LATEST_TICK = 2 ** 42, HIGHEST_RATE = 2 ** 18; // beyond them, not every reader could reckon alike
const NTP_TO_UNIX_US = 2_208_988_800 * 1_000_000;

function view(data: Uint8Array): DataView {
  return new DataView(data.buffer, data.byteOffset, data.byteLength);
}

function name4(data: Uint8Array, at: number): string {
  return String.fromCharCode(data[at]!, data[at + 1]!, data[at + 2]!, data[at + 3]!);
}

/** The boxes inside `data`; where `strict`, a length below 8 is a fault, else it ends the walk. */
function boxes(data: Uint8Array, strict: boolean): [string, Uint8Array][] {
  const found: [string, Uint8Array][] = [];
  for (let at = 0; at + 8 <= data.length; ) {
    const length = view(data).getUint32(at);
    if (length < 8) {
      need(!strict, "a box is too short");
      break;
    }
    found.push([name4(data, at + 4), data.subarray(at + 8, at + length)]);
    at += length;
  }
  return found;
}

function last(found: [string, Uint8Array][], name: string): Uint8Array {
  const one = found.filter(([other]) => other === name).pop();
  need(one, `there is no ${name}`);
  return one[1];
}

interface Init {
  video: Uint8Array;
  width: number;
  height: number;
  audio: Uint8Array | null;
  rate: number;
}

function entry(trak: Uint8Array): Uint8Array {
  const stsd = last(boxes(last(boxes(last(boxes(last(boxes(trak, true), "mdia"), true), "minf"), true), "stbl"), true), "stsd");
  need(stsd.length >= 12, "stsd is too short");
  const length = view(stsd).getUint32(8);
  const found = stsd.subarray(8, 8 + length);
  need(found.length === length && length >= 36, "a sample entry is torn");
  return found;
}

function u32(data: Uint8Array, at: number): number {
  need(at + 4 <= data.length, "a box is torn");
  return view(data).getUint32(at);
}

export function parseInit(init: Uint8Array): Init {
  const traks = new Map<number, Uint8Array>();
  for (const [name, trak] of boxes(last(boxes(init, true), "moov"), true)) {
    if (name === "trak") traks.set(u32(last(boxes(trak, true), "tkhd"), 20), trak);
  }
  const own = traks.get(VIDEO);
  need(own, "there is no picture");
  const video = entry(own);
  const sound = traks.get(AUDIO) ?? null;
  return {
    video, width: view(video).getUint16(32), height: view(video).getUint16(34),
    audio: sound && entry(sound),
    rate: sound ? u32(last(boxes(last(boxes(sound, true), "mdia"), true), "mdhd"), 20) : 0,
  };
}

interface Run {
  sizes: number[];
  durations: number[];
  offsets: number[] | null;
  sync: boolean;
}

interface Samples {
  base: number;
  audioBase: number;
  video: Run;
  audio: Run | null;
}

function run(trun: Uint8Array): Run {
  const flags = u32(trun, 0), total = u32(trun, 4);
  let at = 12, sync = true;
  if (flags & 0x4) {
    sync = (u32(trun, at) & 0x10000) === 0;
    at += 4;
  }
  const width = flags & 0x800 ? 3 : 2;
  need(at + 4 * width * total <= trun.length, "the table says that it is longer than it is");
  const table = view(trun);
  const sizes: number[] = [], durations: number[] = [], offsets: number[] = [];
  for (let n = 0; n < total; n++, at += 4 * width) {
    durations.push(table.getUint32(at));
    sizes.push(table.getUint32(at + 4));
    if (width === 3) offsets.push(table.getInt32(at + 8));
  }
  return { sizes, durations, offsets: width === 3 ? offsets : null, sync };
}

function u64(data: Uint8Array, at: number): number {
  return u32(data, at) * 2 ** 32 + u32(data, at + 4);
}

function parseHead(head: Uint8Array): Samples {
  const moof = boxes(head, false).find(([name]) => name === "moof");
  need(moof, "there is no moof");
  const runs = new Map<number, Run>(), bases = new Map<number, number>();
  for (const [name, part] of boxes(moof[1], false)) {
    if (name === "mfhd") u32(part, 4);
    if (name !== "traf") continue;
    const inner = boxes(part, false);
    const track = u32(last(inner, "tfhd"), 4);
    bases.set(track, u64(last(inner, "tfdt"), 4));
    runs.set(track, run(last(inner, "trun")));
  }
  const video = runs.get(VIDEO);
  need(video, "there is no picture");
  return { base: bases.get(VIDEO)!, audioBase: bases.get(AUDIO) ?? 0, video, audio: runs.get(AUDIO) ?? null };
}

const sum = (values: number[]): number => values.reduce((total, one) => total + one, 0);

function isWhole(head: Uint8Array, media: number): boolean {
  if (head.length < 48) return false;
  return u32(head, 0) === 32 && name4(head, 4) === "prft"
    && u32(head, 32) === head.length - 40 && name4(head, 36) === "moof"
    && u32(head, head.length - 8) === 8 + media && name4(head, head.length - 4) === "mdat";
}

/** When the first picture behind `head` was taken, in microseconds since 1970. */
export function headUs(head: Uint8Array): number {
  const seconds = u32(head, 16), fraction = u32(head, 20);
  return seconds * 1_000_000 + Math.floor((fraction * 1_000_000 + 2 ** 31) / 2 ** 32) - NTP_TO_UNIX_US;
}

function lead(one: Run): number {
  if (!one.offsets) return 0;
  need(one.offsets.length > 0, "a run without pictures");
  let at = 0, least = Infinity;
  one.offsets.forEach((shift, n) => {
    least = Math.min(least, at + shift);
    at += one.durations[n]!;
  });
  return Math.max(0, least);
}

type Pair = [count: number, value: number];

function tally(pairs: Pair[], value: number): void {
  const end = pairs[pairs.length - 1];
  if (end && end[1] === value) end[0] += 1;
  else pairs.push([1, value]);
}

class Track {
  start = 0;
  clock = 0;
  lead = 0;
  private delay = 0;
  private readonly sizes: number[] = [];
  private readonly times: Pair[] = [];
  private readonly shifts: Pair[] = [];
  private shifted = false;
  private readonly syncs: number[] = [];
  private readonly chunks: number[] = [];
  private readonly runs: [first: number, samples: number, description: number][] = [];
  private readonly entries: Uint8Array[] = [];

  constructor(readonly timescale: number) {}

  add(one: Run, at: number, offset: number, description: Uint8Array, begins: boolean): void {
    if (this.sizes.length === 0) {
      this.start = this.clock = at;
      this.lead = lead(one);
    }
    if (begins) this.delay = this.lead - lead(one);
    this.moveTo(at);
    if (one.sync) this.syncs.push(this.sizes.length + 1);
    for (const size of one.sizes) this.sizes.push(size);
    for (const duration of one.durations) tally(this.times, duration);
    for (const shift of one.offsets ?? new Array<number>(one.sizes.length).fill(0)) tally(this.shifts, shift + this.delay);
    this.shifted ||= one.offsets !== null || this.delay !== 0;
    this.clock += sum(one.durations);
    need(this.clock < LATEST_TICK, "its times cannot be right");
    this.chunks.push(offset);
    const number = this.describe(description);
    const before = this.runs[this.runs.length - 1];
    if (!before || before[1] !== one.sizes.length || before[2] !== number) {
      this.runs.push([this.chunks.length, one.sizes.length, number]);
    }
  }

  private moveTo(at: number): void {
    if (this.sizes.length === 0) return;
    const end = this.times[this.times.length - 1];
    need(end, "a fragment without pictures");
    const wanted = Math.max(1, end[1] + at - this.clock);
    const change = wanted - end[1];
    if (change === 0) return;
    end[0] -= 1;
    if (end[0] === 0) this.times.pop();
    tally(this.times, wanted);
    this.clock += change;
  }

  private describe(description: Uint8Array): number {
    const equal = (a: Uint8Array, b: Uint8Array) => a.length === b.length && a.every((byte, n) => byte === b[n]);
    const known = this.entries.findIndex((one) => equal(one, description));
    if (known >= 0) return known + 1;
    if (this.entries[0]) need(name4(description, 4) === name4(this.entries[0], 4), "the codec changes on the way");
    return this.entries.push(description);
  }

  table(base: number, wide: boolean): Bytes {
    const parts = [
      full("stsd", 0, 0, be32(this.entries.length), ...this.entries),
      rows("stts", this.times, 0),
      ...(this.shifted ? [rows("ctts", this.shifts, 1)] : []),
      full("stsc", 0, 0, be32(this.runs.length, ...this.runs.flat())),
      full("stsz", 0, 0, be32(0, this.sizes.length), numbers(this.sizes)),
      wide
        ? full("co64", 0, 0, be32(this.chunks.length), ...this.chunks.map((one) => be64(one + base)))
        : full("stco", 0, 0, be32(this.chunks.length), numbers(this.chunks.map((one) => one + base))),
      ...(this.syncs.length < this.sizes.length ? [full("stss", 0, 0, be32(this.syncs.length), numbers(this.syncs))] : []),
    ];
    return box("stbl", ...parts);
  }
}

function be32(...values: number[]): Bytes {
  return numbers(values);
}

function numbers(values: number[]): Bytes {
  const out = new Uint8Array(4 * values.length);
  const into = view(out);
  values.forEach((value, n) => into.setUint32(4 * n, value >>> 0));
  return out;
}

function be64(value: number | bigint): Bytes {
  const out = new Uint8Array(8);
  view(out).setBigInt64(0, BigInt(value));
  return out;
}

function be16(...values: number[]): Bytes {
  const out = new Uint8Array(2 * values.length);
  values.forEach((value, n) => view(out).setUint16(2 * n, value));
  return out;
}

function box(name: string, ...parts: Uint8Array[]): Bytes {
  const body = join(...parts);
  return join(be32(8 + body.length), utf8(name), body);
}

function full(name: string, version: number, flags: number, ...parts: Uint8Array[]): Bytes {
  return box(name, be32((version << 24) | flags), ...parts);
}

/** `value` × `by` / `over`, rounded down, however large. */
function scaled(value: number | bigint, by: number, over: number): bigint {
  const product = BigInt(value) * BigInt(by), divisor = BigInt(over);
  const quotient = product / divisor;
  return product < 0n && quotient * divisor !== product ? quotient - 1n : quotient;
}

function rows(name: string, pairs: Pair[], version: number): Bytes {
  const least = version ? -(2 ** 31) : 0, most = version ? 2 ** 31 : 2 ** 32;
  for (const [, value] of pairs) need(value >= least && value < most, "a number has no room");
  return full(name, version, 0, be32(pairs.length), numbers(pairs.flat()));
}

const MATRIX = be32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000);
const zeros = (length: number): Bytes => new Uint8Array(length);

function tkhd(id: number, shown: number, width: number, height: number): Bytes {
  const volume = id === AUDIO ? 0x100 : 0;
  return full("tkhd", 1, 3, zeros(16), be32(id, 0), be64(shown), zeros(8), be16(0, 0, volume, 0), MATRIX,
    be32(width * 65536, height * 65536));
}

function mdia(track: Track, base: number, wide: boolean, isVideo: boolean): Bytes {
  const mdhd = full("mdhd", 1, 0, zeros(16), be32(track.timescale), be64(track.clock - track.start), be16(0x55c4, 0));
  const hdlr = full("hdlr", 0, 0, be32(0), utf8(isVideo ? "vide" : "soun"), zeros(12), utf8("svidok\0"));
  const media = isVideo ? full("vmhd", 0, 1, zeros(8)) : full("smhd", 0, 0, zeros(4));
  const dinf = box("dinf", full("dref", 0, 0, be32(1), full("url ", 0, 1)));
  return box("mdia", mdhd, hdlr, box("minf", media, dinf, track.table(base, wide)));
}

type Edit = [length: number | bigint, media: number | bigint];

function edits(...pairs: Edit[]): Bytes {
  const body = pairs.map(([length, media]) => join(be64(length), be64(media), be32(0x10000)));
  return box("edts", full("elst", 1, 0, be32(pairs.length), ...body));
}

/** The sample tables of a clip as they grow, fragment by fragment. */
export class Arrangement {
  private readonly video = new Track(CLOCK);
  private audio: Track | null = null;
  private first: Init | null = null;
  private init: Init | null = null;
  private shift: number | null = null;
  private beginUs: number | null = null;
  private endUs = 0;
  private media = 0;

  begin(init: Uint8Array): void {
    this.init = parseInit(init);
    this.first ??= this.init;
    this.shift = null;
  }

  /** Append a fragment; from when to when it shows, in microseconds since 1970. */
  add(head: Uint8Array, size: number): [number, number] {
    need(isWhole(head, size) && this.init, "a fragment is damaged");
    const samples = parseHead(head);
    const runs = [samples.video, ...(samples.audio ? [samples.audio] : [])];
    need(runs.every((one) => sum(one.durations) < LATEST_TICK && one.offsets?.length !== 0), "a fragment is damaged");
    need(samples.base < LATEST_TICK && samples.audioBase < LATEST_TICK, "a fragment is damaged");
    need(sum(samples.video.sizes) + sum(samples.audio?.sizes ?? []) === size, "a fragment is damaged");
    const begins = this.shift === null;
    const shift: number = this.shift ?? this.video.clock - samples.base;
    this.shift = shift;
    this.video.add(samples.video, shift + samples.base, this.media, this.init.video, begins);
    if (samples.audio && this.init.audio) {
      const rate = this.init.rate;
      this.audio ??= new Track(rate);
      need(rate === this.audio.timescale && rate > 0 && rate <= HIGHEST_RATE, "the sound changes on the way");
      const at = Number(scaled(shift, rate, CLOCK)) + samples.audioBase;
      this.audio.add(samples.audio, at, this.media + sum(samples.video.sizes), this.init.audio, false);
    }
    this.media += size;
    const start = headUs(head);
    this.beginUs ??= start;
    this.endUs = start + Math.floor((sum(samples.video.durations) * 100) / 9);
    return [start, this.endUs];
  }

  header(startUs: number, endUs: number): Bytes {
    need(this.first && this.beginUs !== null, "there is no footage");
    const skip = Number(scaled(Math.max(0, startUs - this.beginUs), 9, 100));
    const drop = Number(scaled(Math.max(0, this.endUs - endUs), 9, 100));
    const wide = this.media > 2 ** 32 - 2 ** 28;
    const ftyp = box("ftyp", utf8("isom"), be32(512), utf8("isomiso2mp41"));
    const mdat = join(be32(1), utf8("mdat"), be64(16 + this.media));
    const without = ftyp.length + this.moov(this.first, 0, wide, skip, drop).length + mdat.length;
    return join(ftyp, this.moov(this.first, without, wide, skip, drop), mdat);
  }

  private moov(init: Init, base: number, wide: boolean, skip: number, drop: number): Bytes {
    const shown = Math.max(1, this.video.clock - skip - drop);
    const traks = [
      box("trak", tkhd(VIDEO, shown, init.width, init.height), edits([shown, this.video.lead + skip]), mdia(this.video, base, wide, true)),
    ];
    if (this.audio) {
      const late = scaled(this.audio.start, CLOCK, this.audio.timescale) - BigInt(skip);
      const left = BigInt(shown) - (late > 0n ? late : 0n);
      const begin = late > 0n ? 0n : scaled(-late, this.audio.timescale, CLOCK);
      const shownSound: Edit = [left > 1n ? left : 1n, begin];
      const edit = late > 0n ? edits([late, -1], shownSound) : edits(shownSound);
      traks.push(box("trak", tkhd(AUDIO, shown, 0, 0), edit, mdia(this.audio, base, wide, false)));
    }
    const mvhd = full("mvhd", 1, 0, zeros(16), be32(CLOCK), be64(shown), be32(0x10000), be16(0x100), zeros(10), MATRIX, zeros(24), be32(3));
    return box("moov", mvhd, ...traks);
  }
}
