import { describe, expect, it } from "vitest";
import { between, boxAt, under, withKey, withoutKey } from "./covers";
import type { Cover } from "./types";

const cover: Cover = { id: "a", kind: "face", first: 5, last: 30, off: false, keys: [[10, 0, 0, 10, 10], [20, 20, 10, 10, 30]] };

describe("covers", () => {
  it("go straight between keys and stay beyond them", () => {
    expect(boxAt(cover, 15)).toEqual([10, 5, 10, 20]);
    expect(boxAt(cover, 5)).toEqual([0, 0, 10, 10]);
    expect(boxAt(cover, 30)).toEqual([20, 10, 10, 30]);
    expect(boxAt(cover, 4)).toBeNull();
    expect(boxAt({ ...cover, off: true }, 15)).toBeNull();
  });
  it("take a key by hand, and reach as far as it", () => {
    const moved = withKey(cover, 40, [1, 2, 3, 4]);
    expect([moved.last, moved.keys.length]).toEqual([40, 3]);
    expect(boxAt(withKey(cover, 20, [0, 0, 5, 5]), 20)).toEqual([0, 0, 5, 5]);
    expect(withoutKey(cover, 10).keys).toEqual([[20, 20, 10, 10, 30]]);
    expect(withoutKey({ ...cover, keys: [[1, 0, 0, 9, 9]] }, 1).keys.length).toBe(1);
  });
  it("are found under a finger, the smallest first", () => {
    const large: Cover = { ...cover, id: "b", keys: [[10, 0, 0, 300, 300]] };
    expect(under([large, cover], 10, 5, 5)?.id).toBe("a");
    expect(under([large, cover], 10, 200, 200)?.id).toBe("b");
    expect(under([large, cover], 10, 400, 5)).toBeNull();
  });
  it("stay within the picture when they are drawn", () => {
    expect(between([50, 60], [-10, 10], 100, 100)).toEqual([0, 10, 50, 50]);
  });
});
