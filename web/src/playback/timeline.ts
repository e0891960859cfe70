// The arithmetic of a time axis. All instants are milliseconds since 1970; nothing here knows a zone, so that the hour
// that a clock change repeats or leaves out is drawn as what it is: an hour.

export interface View {
  from: number;
  to: number;
}

const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];
export const SHORTEST_MS = 10_000;
export const LONGEST_MS = 7 * 86_400_000;

/** The pixel that an instant falls on. */
export function xOf(at: number, view: View, width: number): number {
  return ((at - view.from) / (view.to - view.from)) * width;
}

/** The instant under a pixel. */
export function timeAt(x: number, view: View, width: number): number {
  return view.from + (x / width) * (view.to - view.from);
}

/** Zoom by `factor` (below 1: nearer) so that the instant `at` keeps its place. */
export function zoomed(view: View, at: number, factor: number): View {
  const length = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, (view.to - view.from) * factor));
  const share = (at - view.from) / (view.to - view.from);
  return { from: at - share * length, to: at + (1 - share) * length };
}

export function moved(view: View, ms: number): View {
  return { from: view.from + ms, to: view.to + ms };
}

/** Instants to label, at least `apart` pixels from each other, on whole steps of the viewer's own clock. */
export function ticks(view: View, width: number, offsetMs: number, apart = 90): { at: number[]; stepMs: number } {
  const least = ((view.to - view.from) / Math.max(1, width)) * apart;
  const stepMs = (STEPS_S.find((s) => s * 1000 >= least) ?? 86400) * 1000;
  const first = Math.ceil((view.from + offsetMs) / stepMs) * stepMs - offsetMs;
  const at: number[] = [];
  for (let tick = first; tick <= view.to; tick += stepMs) at.push(tick);
  return { at, stepMs };
}

export interface Stretch {
  start: number;
  end: number;
}

/** The stretch that holds `at`, or nothing. */
export function holding(stretches: Stretch[], at: number): Stretch | null {
  return stretches.find((s) => s.start <= at && at < s.end) ?? null;
}

/** Where footage begins next after `at`, or nothing. */
export function nextStart(stretches: Stretch[], at: number): number | null {
  const later = stretches.filter((s) => s.start > at).map((s) => s.start);
  return later.length ? Math.min(...later) : null;
}

/** What is known of a channel: its footage within `from` and `to`. */
export interface Known {
  from: number;
  to: number;
  recorded: Stretch[];
}

/** Where to go on when no camera has footage at `at`. Nothing where one has, or where that is not known for each. */
export function skipTo(known: Known[], at: number, now: number): number | null {
  const unsure = known.some((one) => at < one.from || at >= one.to || holding(one.recorded, at));
  if (!known.length || unsure) return null;
  const next = known.map((one) => nextStart(one.recorded, at)).filter((start): start is number => start !== null);
  const soonest = Math.min(...next);
  return next.length && soonest < now - 3000 ? soonest + 1 : null;
}
