import type { Page } from "../app/pages";

export const bodywornPages: Page[] = [
  { path: "/worn/dock", action: "view_docks", load: () => import("./DockPage.svelte"), menu: { key: "nav.dock", group: "border", icon: "M5 4h14v10H5zM9 18h6M12 14v4M12 7v4" } },
  { path: "/worn/shifts", action: "view_shifts", load: () => import("./ShiftsPage.svelte"), menu: { key: "nav.shifts", group: "border", icon: "M4 5h16v15H4zM4 9h16M8 3v4M16 3v4M7 13h5M7 16h9" } },
  { path: "/worn/register", action: "manage_shifts", load: () => import("./RegisterPage.svelte") },
  { path: "/worn/docks", action: "manage_docks", load: () => import("./DocksPage.svelte") },
  { path: "/worn/mine", action: "view_own_shifts", load: () => import("./MinePage.svelte"), menu: { key: "nav.my_shifts", group: "border", icon: "M12 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8M4 21c0-8 16-8 16 0" } },
];
