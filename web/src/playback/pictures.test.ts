import { describe, expect, it } from "vitest";
import { held, neighbour, picturesOf } from "./pictures";

function box(kind: string, ...parts: number[][]): number[] {
  const body = parts.flat();
  return [...u32(8 + body.length), ...[...kind].map((c) => c.charCodeAt(0)), ...body];
}
const u32 = (n: number) => [(n >>> 24) & 255, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
const tfdt = (base: number) => box("tfdt", [1, 0, 0, 0], u32(0), u32(base));
const tfhd = (id: number) => box("tfhd", u32(0x020000), u32(id));
/** Rows of [duration, size] as the writer lays them. */
const plain = (rows: number[][]) => box("trun", u32(0x000305), u32(rows.length), u32(0), u32(0), ...rows.map((row) => row.flatMap(u32)));
/** Rows of [duration, size, offset]: pictures out of order. */
const mixed = (rows: number[][]) => box("trun", u32(0x01000b05), u32(rows.length), u32(0), u32(0), ...rows.map((row) => row.flatMap(u32)));
const fragment = (...trafs: number[][]) => [...box("prft", new Array<number>(24).fill(0)), ...box("moof", box("mfhd", u32(0), u32(1)), ...trafs), ...box("mdat", [1, 2, 3])];
const bytes = (data: number[]) => new Uint8Array(data).buffer;

describe("the pictures of footage", () => {
  it("begin where the durations before them end, fragment by fragment", () => {
    const data = [
      ...fragment(box("traf", tfhd(1), tfdt(9000), plain([[3600, 5], [3000, 6], [4200, 7]]))),
      ...fragment(box("traf", tfhd(1), tfdt(19800), plain([[3600, 5]])), box("traf", tfhd(2), tfdt(7), plain([[1, 1]]))),
    ];
    expect(picturesOf(bytes(data))).toEqual([{ base: 9000, shown: [9000, 12600, 15600] }, { base: 19800, shown: [19800] }]);
  });
  it("are told in the order in which they are shown, not decoded", () => {
    const data = fragment(box("traf", tfhd(1), tfdt(0), mixed([[10, 1, 20], [10, 1, 40], [10, 1, 0], [10, 1, -10]])));
    expect(picturesOf(bytes(data))).toEqual([{ base: 0, shown: [20, 20, 20, 50] }]);
  });
  it("are not guessed where bytes are missing", () => {
    const whole = fragment(box("traf", tfhd(1), tfdt(0), plain([[10, 1], [10, 1]])));
    for (let length = 0; length < whole.length - 12; length += 1) expect(picturesOf(bytes(whole.slice(0, length)))).toEqual([]);
  });
  it("have one before and one after", () => {
    const starts = [0, 40, 80.011, 1000];
    expect([held(starts, -1), held(starts, 39.98), held(starts, 80), held(starts, 5000)]).toEqual([-1, 1, 2, 3]);
    expect([neighbour(starts, 50, 1), neighbour(starts, 50, -1), neighbour(starts, 0, -1), neighbour(starts, 1000, 1)]).toEqual([80.011, 0, null, null]);
  });
});
