// The table of pages: where each stands, who may open it, and under which heading of the menu it is found.
import type { Component } from "svelte";
import type { Key } from "../i18n/index.svelte";
import { bodywornPages } from "../bodyworn/pages";
import { customsPages } from "../customs/pages";
import { deskPages } from "../desk/pages";
import { evidencePages } from "../evidence/pages";
import { platePages } from "../plates/pages";

/** The headings of the menu, in their order. */
export const GROUPS = ["watch", "search", "border", "evidence", "oversight", "platform"] as const;
export type Group = (typeof GROUPS)[number];

/** What a page is given: the part of the address after its own path. */
export interface Given {
  id: string;
}

export interface Page {
  /** Its address. One that ends in "/" is a page for each id that follows. */
  path: string;
  /** The action that opens it, or null where everybody who is signed in may. */
  action: string | null;
  load: () => Promise<{ default: Component<Given> | Component }>;
  /** Where it stands in the menu; a page without a place is reached from others. */
  menu?: { key: Key; group: Group; icon: string };
}

const spine: Page[] = [
  { path: "/", action: null, load: () => import("./Overview.svelte"), menu: { key: "nav.overview", group: "watch", icon: "M3 12l9-8 9 8v8H3z" } },
  { path: "/live", action: "view_live", load: () => import("../live/LivePage.svelte"), menu: { key: "nav.live", group: "watch", icon: "M3 6h13v12H3zM16 10l5-3v10l-5-3z" } },
  { path: "/playback", action: "view_playback", load: () => import("../playback/PlaybackPage.svelte"), menu: { key: "nav.playback", group: "watch", icon: "M4 12a8 8 0 1 1 3 6M4 18v-4h4M12 8v5l3 2" } },
  { path: "/map", action: "view_fleet", load: () => import("../map/MapPage.svelte"), menu: { key: "nav.map", group: "watch", icon: "M12 21s7-6 7-11a7 7 0 1 0-14 0c0 5 7 11 7 11zM12 8a2.500 2.500 0 1 1 0 5 2.500 2.500 0 0 1 0-5" } },
  { path: "/audit", action: "view_audit", load: () => import("../oversight/AuditPage.svelte"), menu: { key: "nav.audit", group: "oversight", icon: "M5 3h11l3 3v15H5zM8 9h8M8 13h8M8 17h5" } },
  { path: "/oversight/ledger", action: "view_ledger", load: () => import("../oversight/LedgerPage.svelte"), menu: { key: "nav.ledger", group: "oversight", icon: "M6 4h12v5H6zM6 15h12v5H6zM12 9v6" } },
  { path: "/cameras", action: "view_fleet", load: () => import("../fleet/FleetPage.svelte"), menu: { key: "nav.fleet", group: "platform", icon: "M4 6h16M4 12h16M4 18h16" } },
  { path: "/cameras/", action: "view_fleet", load: () => import("../fleet/CameraPage.svelte") },
  { path: "/restoration", action: "view_fleet", load: () => import("../fleet/RestorationPage.svelte"), menu: { key: "nav.restoration", group: "platform", icon: "M4 20V10M10 20V4M16 20v-7M21 20H3" } },
  { path: "/storage", action: "view_storage", load: () => import("../oversight/StoragePage.svelte"), menu: { key: "nav.storage", group: "platform", icon: "M4 6c0-3 16-3 16 0v12c0 3-16 3-16 0zM4 6c0 3 16 3 16 0M4 12c0 3 16 3 16 0" } },
  { path: "/settings", action: null, load: () => import("../settings/SettingsPage.svelte"), menu: { key: "nav.settings", group: "platform", icon: "M12 9a3 3 0 1 1 0 6 3 3 0 0 1 0-6M12 3v3M12 18v3M3 12h3M18 12h3M6 6l2 2M16 16l2 2M18 6l-2 2M8 16l-2 2" } },
];

export const PAGES: Page[] = [...spine, ...platePages, ...deskPages, ...bodywornPages, ...customsPages, ...evidencePages];

/** The page of an address and the id in it; the first page where there is none. */
export function pageAt(path: string, pages: Page[] = PAGES): { page: Page; id: string } {
  const exact = pages.find((page) => page.path === path);
  if (exact) return { page: exact, id: "" };
  const holders = pages.filter((page) => page.path.length > 1 && page.path.endsWith("/") && path.startsWith(page.path));
  const holder = holders.sort((a, b) => b.path.length - a.path.length)[0];
  return holder ? { page: holder, id: path.slice(holder.path.length) } : { page: pages[0]!, id: "" };
}
