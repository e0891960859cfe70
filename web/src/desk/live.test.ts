import { describe, expect, it } from "vitest";
import { merged, type Alert } from "./live";

const alert = (id: string, more: Partial<Alert>): Alert => ({ id, version: 1, state: "new", priority: "normal", raised_at: "2026-11-20T12:00:00Z", ...more }) as Alert;

describe("the desk", () => {
  it("keeps each alert once, by its latest version", () => {
    const after = merged([alert("a", { version: 2, state: "acknowledged" })], [alert("a", { version: 1 }), alert("b", {})]);
    expect(after.map((one) => [one.id, one.state])).toEqual([["b", "new"], ["a", "acknowledged"]]);
  });
  it("puts what is open first, urgent before others, the newest first", () => {
    const all = merged([], [
      alert("done", { state: "confirmed", priority: "high" }), alert("old", {}), alert("new", { raised_at: "2026-11-20T13:00:00Z" }),
      alert("urgent", { priority: "high", raised_at: "2026-11-20T11:00:00Z" }), alert("taken", { state: "acknowledged" }),
    ]);
    expect(all.map((one) => one.id)).toEqual(["urgent", "new", "old", "taken", "done"]);
  });
});
