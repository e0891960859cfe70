import { describe, expect, it } from "vitest";
import { coveredShare, foreseen, keepDeeds, keptDeeds, portion, whereIs, type Deed, type OnBoard } from "./worn";

const camera = (more: Partial<OnBoard>): OnBoard => ({
  camera_id: "1", channel_id: "1", number: "BW-01", checkpoint: "", service: "customs", firmware: "", battery_pct: 50,
  storage_pct: 5, clock_wrong: false, docked_at: "2026-11-25T10:00:00Z", seen_at: null, badge: null, issued_at: null,
  uploading: 0, missing: 0, last_clip_at: null, safe_to_wipe: true, ...more,
});
const deed = (more: Partial<Deed>): Deed => ({ key: "k", verb: "issue", camera: "BW-01", badge: "M-1", why: "", at: "2026-11-25T10:00:00Z", ...more });

describe("worn cameras", () => {
  it("says where a camera is, the worst first", () => {
    expect(whereIs(camera({}))).toBe("safe");
    expect(whereIs(camera({ uploading: 2 }))).toBe("uploading");
    expect(whereIs(camera({ uploading: 2, missing: 1 }))).toBe("missing");
    expect(whereIs(camera({ badge: "M-1", missing: 1 }))).toBe("out");
    expect(whereIs(camera({ docked_at: null }))).toBe("away");
  });
  it("draws a gap of a moment so that it can be seen, inside the bar", () => {
    expect(portion(999, 1000, 0, 1_000_000).width).toBe(0.4);
    const last = portion(1_000_000, 1_000_000, 0, 1_000_000);
    expect(last.left + last.width).toBeLessThanOrEqual(100);
  });
  it("never calls it all when a second is missing", () => {
    expect(coveredShare({ covered_ms: 28_799_000, required_ms: 28_800_000 })).toBeLessThan(100);
    expect(coveredShare({ covered_ms: 0, required_ms: 0 })).toBe(100);
  });
  it("keeps what was done without a link, and shows it", () => {
    let text = "";
    keepDeeds([deed({})], { setItem: (_, value) => (text = value) });
    expect(keptDeeds({ getItem: () => text })).toHaveLength(1);
    expect(keptDeeds({ getItem: () => "{broken" })).toEqual([]);
    const board = [camera({}), camera({ number: "BW-02", badge: "M-2" })];
    const seen = foreseen(board, [deed({}), deed({ verb: "return", camera: "BW-02" })]);
    expect(seen.map((one) => one.badge)).toEqual(["M-1", null]);
    expect(foreseen(seen, [deed({ verb: "swap", camera: "BW-02" })]).map((one) => one.badge)).toEqual([null, "M-1"]);
  });
});
