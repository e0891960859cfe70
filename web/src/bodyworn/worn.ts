// What the screens of worn cameras share: shapes of what the server says, and plain arithmetic of spans.

export interface OnBoard {
  camera_id: string;
  channel_id: string;
  number: string;
  checkpoint: string;
  service: string;
  firmware: string;
  battery_pct: number | null;
  storage_pct: number | null;
  clock_wrong: boolean;
  docked_at: string | null;
  seen_at: string | null;
  badge: string | null;
  issued_at: string | null;
  uploading: number;
  missing: number;
  last_clip_at: string | null;
  safe_to_wipe: boolean;
}

export interface Gap {
  start: string;
  end: string;
  cause: string;
  detail: string;
  footage: boolean;
  paused: string | null;
}

export interface Shift {
  id: string;
  badge: string;
  name: string;
  service: string;
  checkpoint: string;
  start: string;
  end: string;
  cameras: string[];
  required_ms: number;
  covered_ms: number;
  missing_ms: number;
  paused_ms: number;
  impaired_ms: number;
  awaited_ms: number;
  stretches: { start: string; end: string; channel_id: string }[];
  gaps: Gap[];
}

export interface Officer {
  id: string;
  badge: string;
  name: string;
  service: string;
  active: boolean;
}

export const SERVICES = ["customs", "border_guard", "police"];
export const PAUSES = ["personal-needs", "state-secret", "military-object"];

/** Where a worn camera is on its way, in one word. */
export type Where = "out" | "uploading" | "missing" | "safe" | "away";

export function whereIs(camera: OnBoard): Where {
  if (camera.badge) return "out";
  if (!camera.docked_at) return "away";
  if (camera.missing > 0) return "missing";
  return camera.uploading > 0 ? "uploading" : "safe";
}

/** A part of a bar: from and to in hundredths of the whole, never outside it, never thinner than can be seen. */
export function portion(start: number, end: number, from: number, to: number): { left: number; width: number } {
  const whole = Math.max(1, to - from);
  const left = Math.min(100, Math.max(0, ((start - from) / whole) * 100));
  const right = Math.min(100, Math.max(0, ((end - from) / whole) * 100));
  const width = Math.max(0.4, right - left);
  return { left: Math.min(left, 100 - width), width };
}

/** A gap that may yet turn out to be footage: on the camera still, on its way, or waiting to be read. */
export function awaited(gap: Pick<Gap, "cause">): boolean {
  return gap.cause === "dock-late" || gap.cause === "uploading" || gap.cause === "not-read";
}

/** Covered time in hundredths, rounded down: 99.99 is not all of it. */
export function coveredShare(shift: Pick<Shift, "covered_ms" | "required_ms">): number {
  return shift.required_ms ? Math.floor((shift.covered_ms / shift.required_ms) * 1000) / 10 : 100;
}

/** What the dock's screen did while it had no link, in order. */
export interface Deed {
  key: string;
  verb: "issue" | "return" | "swap";
  camera: string;
  badge: string;
  why: string;
  at: string;
}

const KEPT = "worn.deeds";

export function keptDeeds(store: Pick<Storage, "getItem"> = localStorage): Deed[] {
  try {
    const found: unknown = JSON.parse(store.getItem(KEPT) ?? "[]");
    return Array.isArray(found) ? (found as Deed[]) : [];
  } catch {
    return [];
  }
}

export function keepDeeds(deeds: Deed[], store: Pick<Storage, "setItem"> = localStorage): void {
  store.setItem(KEPT, JSON.stringify(deeds));
}

/** The board as it will be once what waits was told to the server. */
export function foreseen(board: OnBoard[], deeds: Deed[]): OnBoard[] {
  return board.map((camera) => {
    let seen = camera;
    for (const deed of deeds) {
      if (deed.verb !== "return" && deed.camera === camera.number) seen = { ...seen, badge: deed.badge, issued_at: deed.at };
      else if (deed.verb === "return" && deed.camera === camera.number) seen = { ...seen, badge: null, issued_at: null };
      else if (deed.verb === "swap" && seen.badge === deed.badge) seen = { ...seen, badge: null, issued_at: null };
    }
    return seen;
  });
}
