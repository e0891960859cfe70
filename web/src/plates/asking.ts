// What an investigator asks, as the address of the page keeps it: the plate, the stretch of time, and what narrows it.

export const STRETCHES = ["1h", "24h", "7d", "30d"] as const;
export type Stretch = (typeof STRETCHES)[number];
const HOURS: Record<Stretch, number> = { "1h": 1, "24h": 24, "7d": 168, "30d": 720 };

/** The two ends of a stretch that ends now. A little ahead, since cameras' clocks may be. */
export function ends(stretch: string, from: string | null, to: string | null, now: number): { from: string; to: string } {
  if (stretch === "own" && from && to) return { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
  const hours = HOURS[(STRETCHES as readonly string[]).includes(stretch) ? (stretch as Stretch) : "24h"];
  return { from: new Date(now - hours * 3_600_000).toISOString(), to: new Date(now + 60_000).toISOString() };
}

/** A plate in groups as people read it: letters and digits apart. */
export function grouped(plate: string): string {
  return (plate.match(/\d+|\D+/g) ?? []).join("\u2009");
}

/** Whether what is typed is one whole plate: then it can be traced. */
export function isWhole(text: string): boolean {
  return /^[\p{L}\d\s-]{3,16}$/u.test(text.trim());
}

/** How sure a camera was, in whole percents and as a word's key. */
export function surety(confidence: number): { percent: number; word: "sure" | "likely" | "doubtful" } {
  return { percent: Math.round(confidence * 100), word: confidence >= 0.9 ? "sure" : confidence >= 0.7 ? "likely" : "doubtful" };
}
