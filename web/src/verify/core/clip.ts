// One clip against its proof: every byte of it, and every second of the range (docs/spec/bundle.md, "A clip").
import { Malformed, need, unbase64, unhex, type Bytes } from "./bytes";
import { Arrangement } from "./header";
import { isIncluded, leafHash, openEntry, type Note } from "./log";
import { count, fields, hash, id, instantUs, list, path, str, type Fields, type Json } from "./told";

const UNBROKEN_US = 1_000_000;
const SEAM_US = 50_000;
const AHEAD = 6;

export type Add = (code: string, where: string, more?: { startUs?: number; endUs?: number; second?: number }) => void;

interface Fragment {
  head: Bytes;
  leaf: number;
  size: number;
  path: string[];
}

interface Segment {
  seal: Json;
  init: Bytes;
  initPath: string[];
  fragments: Fragment[];
  times: [number, number][];
  where: string;
  root: Bytes;
  leaves: number;
  startUs: number;
  endUs: number;
}

function readSegment(told: Json, number: number): Segment {
  const one = fields(told, ["seal", "init", "init_path", "fragments"]);
  need(list(one["fragments"]).length > 0, "a segment holds no fragment");
  return {
    seal: one["seal"]!, init: unbase64(str(one["init"])), initPath: path(one["init_path"]),
    fragments: list(one["fragments"]).map((inner) => {
      const each = fields(inner, ["head", "leaf", "size", "path"]);
      need(count(each["size"]) < 2 ** 32, "a fragment is too large");
      return { head: unbase64(str(each["head"])), leaf: count(each["leaf"]), size: count(each["size"]), path: path(each["path"]) };
    }),
    times: [], where: `#${number + 1}`, root: new Uint8Array(), leaves: 0, startUs: 0, endUs: 0,
  };
}

/** Tells `add` what is wrong with `file`, and `progress` how many bytes were read; the latest instant of a seal. */
export async function checkClip(
  file: Blob, clip: Fields, told: Fields, note: Note, add: Add, progress: (bytes: number) => void,
): Promise<void> {
  for (const name of ["channel", "from", "to"]) need(told[name] === clip[name], "the proof is of another range");
  need(told["clip"] === clip["path"], "the proof is of another clip");
  const from = instantUs(told["from"]), to = instantUs(told["to"]);
  const segments = list(told["segments"]).map(readSegment);
  need(to > from && segments.length > 0, "the proof is of no range");
  for (const one of list(told["gaps"])) fields(one, ["leaf", "payload", "salt", "index", "inclusion"]);
  await seals(segments, str(told["channel"]), note, add);
  const header = arrange(segments, from, to, add);
  await compare(file, segments, header, add, progress);
  if (header) await times(segments, list(told["gaps"]), id(told["channel"]), from, to, note, add);
}

async function seals(segments: Segment[], channel: string, note: Note, add: Add): Promise<void> {
  const seen = new Set<string>();
  for (const [number, one] of segments.entries()) {
    const opened = await openEntry(one.seal, note);
    const payload = opened.payload;
    const own = id(payload["segment"]);
    one.where = `#${number + 1} ${own}`;
    const leaves = payload["leaves"];
    need(typeof leaves === "number" && leaves > 0 && leaves < 2 ** 32, "a seal does not say how many leaves it has");
    one.leaves = leaves;
    one.root = unhex(hash(payload["root"]));
    one.startUs = instantUs(payload["start"]);
    one.endUs = instantUs(payload["end"]);
    const isSeal = opened.kind === "segment.sealed" && opened.subject === own && payload["channel"] === channel;
    if (!opened.good || !isSeal) add("not-in-log", one.where);
    if (seen.has(own) || seen.has(`${opened.index}`)) add("order-changed", one.where);
    seen.add(own).add(`${opened.index}`);
    const have = one.fragments.map((fragment) => fragment.leaf);
    const first = number === 0 && have.length ? have[0]! : 1;
    const end = number === segments.length - 1 && have.length ? have[have.length - 1]! : one.leaves - 1;
    const whole = have.length > 0 && first >= 1 && have.every((leaf, n) => leaf === first + n) && have[have.length - 1] === end;
    if (!whole) add("fragment-missing", one.where);
  }
}

function arrange(segments: Segment[], from: number, to: number, add: Add): Bytes | null {
  const arrangement = new Arrangement();
  try {
    for (const one of segments) {
      arrangement.begin(one.init);
      for (const fragment of one.fragments) one.times.push(arrangement.add(fragment.head, fragment.size));
    }
    return arrangement.header(from, to);
  } catch (error) {
    if (!(error instanceof Malformed || error instanceof RangeError)) throw error;
    add("header-changed", "header");
    return null;
  }
}

async function compare(
  file: Blob, segments: Segment[], header: Bytes | null, add: Add, progress: (bytes: number) => void,
): Promise<void> {
  const media = segments.flatMap((one) => one.fragments).reduce((total, one) => total + one.size, 0);
  let at = header ? header.length : Math.max(0, file.size - media);
  if (header) {
    const have = new Uint8Array(await file.slice(0, header.length).arrayBuffer());
    const first = header.findIndex((byte, n) => byte !== have[n]);
    if (first >= 0) add("header-changed", `byte ${first}`);
  }
  if (file.size !== at + media) add(file.size < at + media ? "bytes-missing" : "extra-bytes", `${file.size} ≠ ${at + media}`);
  let shown = 0;
  for (const one of segments) {
    const init = await leafHash(one.init);
    if (!(await isIncluded(init, 0, one.leaves, one.initPath, one.root))) add("header-changed", one.where);
    const waiting: Promise<Bytes>[] = [];
    let next = at;
    for (const [number, fragment] of one.fragments.entries()) {
      while (waiting.length < AHEAD && number + waiting.length < one.fragments.length) {
        const coming = one.fragments[number + waiting.length]!;
        waiting.push(hashLeaf(file, coming, next));
        next += coming.size;
      }
      const leaf = await waiting.shift()!;
      const shows = one.times[number];
      if (!(await isIncluded(leaf, fragment.leaf, one.leaves, fragment.path, one.root))) {
        const where = `${one.where}, ${fragment.leaf}, ${at}–${at + fragment.size}`;
        add("fragment-changed", where, { startUs: shows?.[0], endUs: shows?.[1], second: Math.floor(shown / 1_000_000) });
      }
      at += fragment.size;
      shown += shows ? shows[1] - shows[0] : 0;
      progress(fragment.size);
    }
  }
}

async function hashLeaf(file: Blob, fragment: Fragment, at: number): Promise<Bytes> {
  const media = new Uint8Array(await file.slice(at, at + fragment.size).arrayBuffer());
  return leafHash(fragment.head, media);
}

async function times(
  segments: Segment[], gaps: Json[], channel: string, from: number, to: number, note: Note, add: Add,
): Promise<void> {
  for (const one of segments) {
    const begins = one.times[0]![0], lastBegins = one.times[one.times.length - 1]![0];
    if (begins < one.startUs || lastBegins > one.endUs) add("time-inconsistent", one.where);
    if (begins >= to || lastBegins >= to || one.times[0]![1] <= from) add("time-inconsistent", one.where);
  }
  for (let n = 1; n < segments.length; n++) {
    const before = segments[n - 1]!, after = segments[n]!;
    if (after.startUs < before.startUs) add("order-changed", after.where);
    else if (after.startUs < before.endUs) add("times-overlap", after.where);
  }
  await holes(segments, gaps, channel, from, to, note, add);
}

async function holes(
  segments: Segment[], gaps: Json[], channel: string, from: number, to: number, note: Note, add: Add,
): Promise<void> {
  const first = segments[0]!, last = segments[segments.length - 1]!;
  const cutBefore = first.fragments[0]!.leaf > 1;
  const cutAfter = last.fragments[last.fragments.length - 1]!.leaf < last.leaves - 1;
  const found: [number, number, number][] = [[from, first.times[0]![0], cutBefore ? SEAM_US : UNBROKEN_US]];
  for (let n = 1; n < segments.length; n++) found.push([segments[n - 1]!.endUs, segments[n]!.startUs, UNBROKEN_US]);
  found.push([last.times[last.times.length - 1]![1], to, cutAfter ? SEAM_US : UNBROKEN_US]);
  const known: [number, number][] = [];
  for (const told of gaps) {
    const gap = await openEntry(told, note);
    if (!gap.good || (gap.kind !== "gap.closed" && gap.kind !== "gap.opened")) add("not-in-log", "gap");
    else if (gap.kind === "gap.closed" && gap.payload["channel"] === channel) {
      const span: [number, number] = [instantUs(gap.payload["start"]), instantUs(gap.payload["end"])];
      if (gap.payload["reason"] !== "unknown") known.push(span);
    }
  }
  const islands = joined(known);
  for (const [start, end, most] of found) {
    if (end - start <= most) continue;
    const island = islands.filter((one) => one[0] <= start + most).pop();
    if (!island || end - island[1] > most) add("gap-unexplained", "range", { startUs: start, endUs: end });
  }
}

function joined(known: [number, number][]): [number, number][] {
  const islands: [number, number][] = [];
  for (const [start, end] of known.sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
    const before = islands[islands.length - 1];
    if (before && start - before[1] <= UNBROKEN_US) before[1] = Math.max(before[1], end);
    else islands.push([start, end]);
  }
  return islands;
}
