import { describe, expect, it } from "vitest";
import { soundless } from "./soundless";

function box(kind: string, ...parts: number[][]): number[] {
  const body = parts.flat();
  return [...u32(8 + body.length), ...[...kind].map((c) => c.charCodeAt(0)), ...body];
}
const u32 = (n: number) => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
const zeros = (n: number) => new Array<number>(n).fill(0);
const tkhd = (id: number) => box("tkhd", [1, 0, 0, 3], zeros(16), u32(id), zeros(12));
const trex = (id: number) => box("trex", zeros(4), u32(id), zeros(16));
const traf = (id: number) => box("traf", box("tfhd", u32(0x020000), u32(id)), box("tfdt", [1, 0, 0, 0], zeros(8)));
const bytes = (data: number[]) => new Uint8Array(data).buffer;
const text = (data: ArrayBuffer) => new TextDecoder("latin1").decode(data);
const count = (data: ArrayBuffer, kind: string) => text(data).split(kind).length - 1;

describe("footage without its sound", () => {
  it("hides the sound track of an init segment and keeps its length", () => {
    const data = bytes([
      ...box("ftyp", u32(0)),
      ...box("moov", box("mvhd", zeros(8)), box("trak", tkhd(1)), box("trak", tkhd(2)), box("mvex", trex(1), trex(2))),
    ]);
    const length = data.byteLength;
    const found = soundless(data);
    expect([count(found, "trak"), count(found, "trex"), count(found, "free"), found.byteLength]).toEqual([1, 1, 2, length]);
  });
  it("hides the sound of every fragment", () => {
    const fragment = [...box("prft", zeros(24)), ...box("moof", box("mfhd", zeros(8)), traf(1), traf(2)), ...box("mdat", [7, 7])];
    const found = soundless(bytes([...fragment, ...fragment]));
    expect([count(found, "traf"), count(found, "free")]).toEqual([2, 2]);
  });
  it("leaves footage without sound, and damaged bytes, as they are", () => {
    const plain = [...box("moof", box("mfhd", zeros(8)), traf(1)), ...box("mdat", [1])];
    expect(new Uint8Array(soundless(bytes(plain)))).toEqual(new Uint8Array(plain));
    const damaged = [...u32(9999), 0x6d, 0x6f, 0x6f, 0x66, 1];
    expect(new Uint8Array(soundless(bytes(damaged)))).toEqual(new Uint8Array(damaged));
  });
});
