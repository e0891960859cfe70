// Which columns the fleet's table has, in which order: a person's own choice, kept with their account.
import type { Key } from "../i18n/index.svelte";

export const COLUMNS = {
  number: "fleet.number", name: "fleet.name", state: "fleet.state", kind: "fleet.kind", owner: "fleet.owner",
  region: "fleet.region", findings: "fleet.findings", seen: "fleet.seen", site: "camera.site", maker: "camera.makerOnly",
  model: "camera.modelOnly", firmware: "camera.firmware", serial: "camera.serial", address: "camera.address",
  px: "camera.px", basis: "camera.basis", retention: "camera.retention",
} as const satisfies Record<string, Key>;

export type Column = keyof typeof COLUMNS;

export const USUAL: Column[] = ["number", "name", "state", "kind", "owner", "region", "findings", "seen"];
/** What a telephone has room for. */
export const NARROW: Column[] = ["number", "name", "state", "findings"];

/** What was kept, without what is no column any more; the number is always there, because it is the way to the camera. */
export function sensible(kept: unknown): Column[] {
  const known = (Array.isArray(kept) ? kept : []).filter((one): one is Column => typeof one === "string" && one in COLUMNS);
  const once = [...new Set(known)];
  if (!once.length) return USUAL;
  return once.includes("number") ? once : ["number", ...once];
}

export function moved(columns: Column[], at: number, by: number): Column[] {
  const to = at + by;
  if (to < 0 || to >= columns.length) return columns;
  const next = [...columns];
  next.splice(to, 0, ...next.splice(at, 1));
  return next;
}
