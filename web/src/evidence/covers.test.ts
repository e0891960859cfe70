import { describe, expect, it } from "vitest";
import { between, boxAt, handleAt, moved, neighbour, resized, silenceOf, under, withKey, withoutKey, withSilence, type Box } from "./covers";
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
  it("are sized by the handle in reach, and stay within the picture", () => {
    const box: Box = [20, 20, 40, 60];
    expect(handleAt(box, 61, 79, 10)).toEqual([1, 1]);
    expect(handleAt(box, 19, 50, 10)).toEqual([-1, 0]);
    expect(handleAt(box, 40, 50, 10)).toBeNull();
    expect(resized(box, [1, 1], 10, -5, 100, 100)).toEqual([20, 20, 50, 55]);
    expect(resized(box, [-1, 0], -50, 99, 100, 100)).toEqual([0, 20, 60, 60]);
    expect(resized(box, [-1, -1], 99, 99, 100, 100)).toEqual([54, 74, 6, 6]);
    expect(resized(box, [1, 1], 500, 500, 100, 100)).toEqual([20, 20, 80, 80]);
    expect(moved(box, 500, -500, 100, 100)).toEqual([94, -54, 40, 60]);
  });
  it("follow one another under the keys, of those on the picture", () => {
    const all = ["a", "b", "c"].map((id) => ({ ...cover, id, off: id === "b" }));
    expect(neighbour(all, 10, "a", 1)?.id).toBe("c");
    expect(neighbour(all, 10, "a", -1)?.id).toBe("c");
    expect(neighbour(all, 10, "", 1)?.id).toBe("a");
    expect(neighbour(all, 10, "", -1)?.id).toBe("c");
    expect(neighbour(all, 99, "a", 1)).toBeNull();
  });
});

describe("silences", () => {
  it("take whole pictures, outwards, and grow together where they touch", () => {
    expect(silenceOf(30, 10, 100, 25_000)).toEqual([400, 1240]);
    expect(silenceOf(0, 99, 100, 29_970)).toEqual([0, 3337]);
    expect(withSilence([[0, 100], [500, 600]], [100, 500])).toEqual([[0, 600]]);
    expect(withSilence([[500, 600]], [0, 10])).toEqual([[0, 10], [500, 600]]);
  });
});
