import { expect, test } from "vitest";
import { dayBefore, lasted, line } from "./model";

const words = { s: "с", min: "хв", h: "год" };

test("lengths of time are said as people say them", () => {
  expect([lasted(40, words), lasted(754, words), lasted(9000, words), lasted(null, words)]).toEqual(["40 с", "13 хв", "2.5 год", "–"]);
});

test("a line is broken where a figure is withheld", () => {
  expect(line([1, 2, null, 2], 90, 10, 2)).toBe("M0.0 5.0L30.0 0.0M90.0 0.0");
});

test("days are those of the checkpoint, not of UTC", () => {
  expect(dayBefore(new Date("2026-11-24T22:30:00Z"), 0)).toBe("2026-11-25");
  expect(dayBefore(new Date("2026-11-24T22:30:00Z"), 1)).toBe("2026-11-24");
});
