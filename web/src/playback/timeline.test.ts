import { describe, expect, it } from "vitest";
import { holding, nextStart, skipTo, ticks, timeAt, xOf, zoomed } from "./timeline";

const hour = 3_600_000;
const view = { from: 0, to: hour };

describe("the time axis", () => {
  it("finds pixels and instants both ways", () => {
    for (const at of [0, 1234, hour / 2, hour]) expect(timeAt(xOf(at, view, 777), view, 777)).toBeCloseTo(at, 3);
  });
  it("keeps the instant under the pointer when zooming", () => {
    const near = zoomed(view, hour / 4, 0.5);
    expect(near.to - near.from).toBe(hour / 2);
    expect(xOf(hour / 4, near, 100)).toBeCloseTo(25, 6);
  });
  it("never zooms past its limits", () => {
    expect(zoomed(view, 0, 1e-9).to - zoomed(view, 0, 1e-9).from).toBe(10_000);
    expect(zoomed(view, 0, 1e9).to).toBeLessThanOrEqual(7 * 86_400_000);
  });
  it("labels whole steps of the viewer's clock", () => {
    const { at, stepMs } = ticks({ from: 0, to: 24 * hour }, 1000, 2 * hour);
    expect(stepMs).toBe(3 * hour);
    expect(at.every((tick) => (tick + 2 * hour) % stepMs === 0)).toBe(true);
  });
  it("knows what is held and what comes next", () => {
    const stretches = [{ start: 0, end: 10 }, { start: 20, end: 30 }];
    expect(holding(stretches, 10)).toBeNull();
    expect(holding(stretches, 20)).toEqual({ start: 20, end: 30 });
    expect(nextStart(stretches, 12)).toBe(20);
    expect(nextStart(stretches, 25)).toBeNull();
  });
  it("skips a gap only where every camera is known to have one, and never back to what is not known", () => {
    const known = (recorded: { start: number; end: number }[], from = 0, to = 100_000) => ({ from, to, recorded });
    const gap = [{ start: 0, end: 10_000 }, { start: 50_000, end: 60_000 }];
    expect(skipTo([known(gap)], 20_000, 200_000)).toBe(50_001);
    expect(skipTo([known(gap), known([{ start: 15_000, end: 30_000 }])], 20_000, 200_000)).toBeNull();
    expect(skipTo([known(gap), known([{ start: 35_000, end: 36_000 }])], 20_000, 200_000)).toBe(35_001);
    expect(skipTo([known(gap, 40_000)], 20_000, 200_000)).toBeNull(); // a jump back to where nothing was asked for yet
    expect(skipTo([known(gap)], 20_000, 52_000)).toBeNull();
    expect(skipTo([], 20_000, 52_000)).toBeNull();
  });
});
