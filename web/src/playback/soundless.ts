// The picture of a recording without its sound: boxes of the sound track become `free`, in place, no byte moves.
// A source buffer takes one set of tracks for good, and a camera's sound may come, go, or be G.711, which browsers
// cannot play; the picture must not stop for that. Exports keep the sound.
const CONTAINERS = new Set(["moov", "mvex", "moof"]);
const PICTURE_TRACK = 1;

/** Whose track a box speaks of: its track id, or nothing where it speaks of none. */
function trackOf(view: DataView, kind: string, at: number, end: number): number | null {
  if (kind === "trex") return view.getUint32(at + 12);
  if (kind !== "trak" && kind !== "traf") return null;
  // tkhd and tfhd come first in what we write; version 1 of tkhd has longer times before the id
  const id = kind === "traf" ? at + 8 + 12 : at + 8 + (view.getUint8(at + 16) === 1 ? 28 : 20);
  return id + 4 <= end ? view.getUint32(id) : null;
}

function walk(view: DataView, start: number, end: number): void {
  let at = start;
  while (at + 8 <= end) {
    const size = view.getUint32(at);
    const kind = String.fromCharCode(...[4, 5, 6, 7].map((n) => view.getUint8(at + n)));
    if (size < 8 || at + size > end) return;
    const track = trackOf(view, kind, at, at + size);
    if (track !== null && track !== PICTURE_TRACK) view.setUint32(at + 4, 0x66726565);
    else if (CONTAINERS.has(kind)) walk(view, at + 8, at + size);
    at += size;
  }
}

/** `data` (an init segment, or whole fragments) with the sound hidden; the same buffer, changed. */
export function soundless(data: ArrayBuffer): ArrayBuffer {
  walk(new DataView(data), 0, data.byteLength);
  return data;
}
