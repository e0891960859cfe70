// What the server says of customs, and the small arithmetic of its pages.
import { t, term } from "../i18n/index.svelte";
import { span } from "../i18n/time";

export interface Lane { id: string; code: string; name_uk: string; name_en: string; channels: string[] }
export interface Checkpoint { id: string; code: string; name_uk: string; name_en: string; lanes: Lane[] }

export interface Cell {
  value: string;
  procedures: number | null;
  median_s: number | null;
  p90_s: number | null;
  wait_median_s: number | null;
  queue: number | null;
  withheld: boolean;
}
export interface Pair { what: string; why: string; count: number | null; withheld: boolean }
export interface Point { day: string; procedures: number | null; median_s: number | null; p90_s: number | null }
export interface Figures {
  all: Omit<Cell, "value">;
  lane: Cell[];
  kind: Cell[];
  hour: Cell[];
  irregularities: Pair[];
  missing: Pair[];
  trend: Point[];
  by_checkpoint: (Omit<Cell, "value"> & { checkpoint_id: string })[];
  threshold: number;
}
export interface Comparison {
  before: number;
  after: number;
  before_median_s: number | null;
  after_median_s: number | null;
  ratio: number | null;
  low: number | null;
  high: number | null;
  verdict: "quicker" | "slower" | "no-difference-shown" | "too-few";
}
export interface Row {
  id: string; number: string; checkpoint: string; checkpoint_uk: string; checkpoint_en: string; lane: string; kind: string;
  direction: string; declaration: string | null; plate: string | null; start_at: string; end_at: string | null;
  outcome: string | null; missing: number; settled: boolean; irregularities: { cause: string; condition: string }[];
}
export interface Missing {
  id: string; procedure_id: string; number: string; checkpoint: string; checkpoint_uk: string; checkpoint_en: string; lane: string; kind: string;
  start_at: string; requirement: string; cause: string; missing_ms: number; since: string; explained_at: string | null; explanation: string | null;
}
export interface Lacks { items: Missing[]; awaited: number }
export interface Stretch { start: string; end: string }
export interface Hole extends Stretch { cause: string; footage: boolean }
export interface Track { recorded: Stretch[]; gaps: Hole[] }
export interface Found { requirement: string; subject: string; verdict: "present" | "missing" | "awaited"; cause: string; missing_ms: number; since: string; grounds: string }
export interface Scan { id: string; device: string; taken_at: string; form: string; state: string; says: string; picture: boolean; width: number | null; height: number | null; size_bytes: number; sha256: string; metadata: Record<string, string> }
export interface ProcedureFile {
  procedure: Row & { lane_uk: string; lane_en: string; officers: string[]; queued_at: string | null; scan_due: boolean; version: number; steps: { kind: string; started_at: string; ended_at: string | null }[] };
  span: Stretch;
  findings: Found[];
  missing: (Missing & { subject: string; arrived_at: string | null; explained_by_name: string | null })[];
  lanes: (Track & { channel_id: string; camera: { number: string; name_uk?: string; name_en?: string } })[];
  worn: (Track & { badge: string; name: string; channels: string[]; cameras: string[] })[];
  reads: { at: string; camera_id: string }[];
  scans: Scan[];
  versions: { version: number; received_at: string }[];
  complaints: number;
}

/** The cause of a lack in words; what a recorder told of a lane camera is worded where gaps of cameras are. */
export function causeOf(cause: string): string {
  const told = term("customs.cause", cause);
  return told === cause ? term("gap", cause) : told;
}

/** What a procedure lacks in one line: which evidence, why, and how much of it. */
export function lackOf(row: Pick<Missing, "requirement" | "cause" | "missing_ms">): string {
  const length = !row.missing_ms ? "" : row.missing_ms < 120_000 ? `, ${Math.round(row.missing_ms / 1000)} ${t("customs.s")}` : `, ${span(row.missing_ms)}`;
  return `${t("customs.lack", { what: term("customs.requirement", row.requirement), why: causeOf(row.cause) })}${length}`;
}

/** A length of time as people say it: 40 s, 12 min, 3.4 h. */
export function lasted(seconds: number | null, words: { s: string; min: string; h: string }): string {
  if (seconds === null) return "–";
  if (seconds < 90) return `${Math.round(seconds)} ${words.s}`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} ${words.min}`;
  return `${(seconds / 3600).toFixed(1)} ${words.h}`;
}

/** A path through points, broken where one is withheld. */
export function line(values: (number | null)[], width: number, height: number, most: number): string {
  let path = "";
  let pen = false;
  values.forEach((value, n) => {
    if (value === null) { pen = false; return; }
    const x = values.length > 1 ? (n / (values.length - 1)) * width : width / 2;
    const y = height - (value / Math.max(most, 1e-9)) * height;
    path += `${pen ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
    pen = true;
  });
  return path;
}

/** The day `days` before `from`, as 2026-11-25. */
export function dayBefore(from: Date, days: number, zone = "Europe/Kyiv"): string {
  return new Intl.DateTimeFormat("sv-SE", { timeZone: zone }).format(new Date(from.getTime() - days * 86_400_000));
}
