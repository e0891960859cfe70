import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { en } from "./en";
import { clock, full, span } from "./time";
import { uk } from "./uk";

const server = join(__dirname, "../../../src/svidok");

function files(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? files(join(folder, entry.name)) : entry.name.endsWith(".py") ? [join(folder, entry.name)] : [],
  );
}

describe("the two languages", () => {
  it("have the same keys, and none is empty", () => {
    expect(Object.keys(en).sort()).toEqual(Object.keys(uk).sort());
    for (const text of [...Object.values(en), ...Object.values(uk)]) expect(text.trim()).not.toBe("");
  });
  it("name the same values", () => {
    const names = (text: string) => (text.match(/\{\w+\}/g) ?? []).sort();
    for (const key of Object.keys(uk) as (keyof typeof uk)[]) expect(names(en[key]), key).toEqual(names(uk[key]));
  });
  it("have a text for every gap reason and every finding", () => {
    const model = readFileSync(join(server, "recording/model.py"), "utf8");
    const reasons = [...model.split("class GapReason")[1]!.split("class VolumeState")[0]!.matchAll(/= "([a-z-]+)"/g)];
    for (const [, reason] of reasons) expect(uk, reason).toHaveProperty([`gap.${reason}`]);
    const posture = readFileSync(join(server, "fleet/posture.py"), "utf8");
    const codes = [...posture.split("CODES")[1]!.split("}")[0]!.matchAll(/"([a-z-]+)": "/g)];
    expect(codes.length).toBeGreaterThan(5);
    for (const [, code] of codes) {
      expect(uk, code).toHaveProperty([`finding.${code}`]);
      expect(uk, code).toHaveProperty([`do.${code}`]);
    }
  });
  it("have a text for every error a person can meet at the door", () => {
    const raised = /(?:Forbidden|NotSignedIn|SignInRefused|Unavailable)\(\s*"([a-z0-9-]+)"/g;
    const known = new Set(Object.keys(uk));
    const missing = files(server)
      .filter((file) => /\/(access|api|governance)\//.test(file) && !file.endsWith("/api/docks.py")) // docks are machines
      .flatMap((file) => [...readFileSync(file, "utf8").matchAll(raised)].map(([, code]) => code!))
      .filter((code) => !known.has(`error.${code}`) && !["metrics-closed", "not-yours"].includes(code));
    expect(missing).toEqual([]);
  });
});

describe("times", () => {
  it("show the hour that the clock repeats twice, with its zone", () => {
    const first = new Date("2026-10-25T00:30:00Z");
    const second = new Date("2026-10-25T01:30:00Z");
    expect(clock(first, "uk", "Europe/Kyiv")).toBe("03:30:00");
    expect(clock(second, "uk", "Europe/Kyiv")).toBe("03:30:00");
    expect(full(first, "en", "Europe/Kyiv")).not.toBe(full(second, "en", "Europe/Kyiv"));
  });
  it("write lengths as clocks do", () => {
    expect(span(3_723_000)).toBe("1:02:03");
    expect(span(7_000)).toBe("0:07");
  });
});
