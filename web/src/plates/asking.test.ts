import { describe, expect, it } from "vitest";
import { ends, grouped, isWhole, surety } from "./asking";

describe("what is asked of plates", () => {
  it("ends now, or where one says", () => {
    const now = Date.parse("2026-11-20T12:00:00Z");
    expect(ends("1h", null, null, now)).toEqual({ from: "2026-11-20T11:00:00.000Z", to: "2026-11-20T12:01:00.000Z" });
    expect(ends("nonsense", null, null, now).from).toBe("2026-11-19T12:00:00.000Z");
    expect(ends("own", "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z", now)).toEqual({ from: "2026-11-01T00:00:00.000Z", to: "2026-11-02T00:00:00.000Z" });
  });
  it("reads a plate in groups", () => {
    expect(grouped("AA1234BB")).toBe("AA\u20091234\u2009BB");
    expect(grouped("BC7")).toBe("BC\u20097");
    expect(grouped("")).toBe("");
  });
  it("knows a whole plate from a pattern", () => {
    expect(isWhole("АА 1234 ВВ")).toBe(true);
    for (const text of ["AA??34??", "*477*", "AA1234BB~", "A", ""]) expect(isWhole(text)).toBe(false);
  });
  it("says how sure a camera was", () => {
    expect(surety(0.974)).toEqual({ percent: 97, word: "sure" });
    expect(surety(0.6).word).toBe("doubtful");
  });
});
