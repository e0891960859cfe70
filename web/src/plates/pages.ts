import type { Page } from "../app/pages";

export const platePages: Page[] = [
  { path: "/plates", action: "search_plates", load: () => import("./SearchPage.svelte"), menu: { key: "nav.plates", group: "search", icon: "M3 7h18v10H3zM6 10h3M6 14h3M12 10v4M15 10h3v4h-3z" } },
  { path: "/plates/journey", action: "trace_plate", load: () => import("./JourneyPage.svelte"), menu: { key: "nav.journey", group: "search", icon: "M5 19a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM19 9a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM7 17h7a4 4 0 0 0 0-8h-4a3 3 0 0 1 0-2h7" } },
  { path: "/hotlists", action: "view_hotlists", load: () => import("./HotlistsPage.svelte"), menu: { key: "nav.hotlists", group: "search", icon: "M5 5h14M5 10h14M5 15h8M16 14l2 2 4-4" } },
  { path: "/plates/leave", action: "search_plates", load: () => import("./LeavePage.svelte"), menu: { key: "nav.leave", group: "search", icon: "M12 3l8 3v6c0 5-4 8-8 9-4-1-8-4-8-9V6zM8 12l3 3 5-6" } },
  { path: "/plates/quality", action: "view_read_quality", load: () => import("./QualityPage.svelte"), menu: { key: "nav.quality", group: "platform", icon: "M4 20V4M4 20h16M8 16l4-5 3 3 5-8" } },
];
