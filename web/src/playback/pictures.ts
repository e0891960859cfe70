// When each picture of a fragment is shown: read from its boxes (ISO/IEC 14496-12: moof, traf, tfdt, trun), so that a
// step goes from one picture to the next and never by a guessed length. What is damaged is left out, not guessed.
export const VIDEO_CLOCK = 90_000;
const PICTURE_TRACK = 1;
const [DATA_OFFSET, FIRST_FLAGS, DURATIONS, SIZES, FLAGS, OFFSETS] = [0x1, 0x4, 0x100, 0x200, 0x400, 0x800];

const LITTLE_MS = 0.05; // two instants nearer than this are one: microseconds and ticks are rounded apart

interface Box { kind: string; start: number; end: number }

function* boxes(view: DataView, from: number, to: number): Generator<Box> {
  let at = from;
  while (at + 8 <= to) {
    const size = view.getUint32(at);
    if (size < 8 || at + size > to) return;
    yield { kind: String.fromCharCode(...[4, 5, 6, 7].map((n) => view.getUint8(at + n))), start: at + 8, end: at + size };
    at += size;
  }
}

/** Ticks at which the samples of one `trun` are shown, given the decode time of its first. */
function shown(view: DataView, run: Box, base: number): number[] {
  const version = view.getUint8(run.start);
  const flags = view.getUint32(run.start) & 0xffffff;
  const count = view.getUint32(run.start + 4);
  const row = [DURATIONS, SIZES, FLAGS, OFFSETS].filter((flag) => flags & flag).length * 4;
  let at = run.start + 8 + (flags & DATA_OFFSET ? 4 : 0) + (flags & FIRST_FLAGS ? 4 : 0);
  if (!(flags & DURATIONS) || at + count * row > run.end) return [];
  const found: number[] = [];
  for (let n = 0, ticks = base; n < count; n += 1, at += row) {
    const offset = at + row - 4; // where there is one, it comes last
    const later = !(flags & OFFSETS) ? 0 : version ? view.getInt32(offset) : view.getUint32(offset);
    found.push(ticks + later);
    ticks += view.getUint32(at);
  }
  return found;
}

/** Each fragment in `data` (whole fragments, end to end): its first decode time and its pictures' times, in ticks. */
export function picturesOf(data: ArrayBuffer): { base: number; shown: number[] }[] {
  const view = new DataView(data);
  const found: { base: number; shown: number[] }[] = [];
  for (const moof of boxes(view, 0, data.byteLength)) {
    if (moof.kind !== "moof") continue;
    for (const traf of boxes(view, moof.start, moof.end)) {
      const inside = traf.kind === "traf" ? [...boxes(view, traf.start, traf.end)] : [];
      const head = inside.find((box) => box.kind === "tfhd");
      const time = inside.find((box) => box.kind === "tfdt");
      if (!head || !time || view.getUint32(head.start + 4) !== PICTURE_TRACK) continue;
      const base = view.getUint8(time.start) ? Number(view.getBigUint64(time.start + 4)) : view.getUint32(time.start + 4);
      const runs = inside.filter((box) => box.kind === "trun");
      found.push({ base, shown: runs.flatMap((run) => shown(view, run, base)).sort((a, b) => a - b) });
    }
  }
  return found;
}

/** The picture after (`1`) or before (`-1`) the one that is shown at `at`, among the sorted instants `starts`. */
export function neighbour(starts: number[], at: number, direction: 1 | -1): number | null {
  const now = held(starts, at);
  const next = direction === 1 ? now + 1 : now - 1;
  return starts[next] ?? null;
}

/** Which of the sorted instants `starts` is shown at `at`: the last that is not later, or -1. */
export function held(starts: number[], at: number): number {
  let [low, high] = [0, starts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (starts[middle]! <= at + LITTLE_MS) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
