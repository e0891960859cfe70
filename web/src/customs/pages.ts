import type { Page } from "../app/pages";

export const customsPages: Page[] = [
  { path: "/checkpoints", action: "view_customs", load: () => import("./CheckpointPage.svelte"), menu: { key: "customs.nav.checkpoints", group: "border", icon: "M4 20V9l8-5 8 5v11M4 20h16M9 20v-6h6v6" } },
  { path: "/checkpoints/register", action: "manage_customs", load: () => import("./RegisterPage.svelte") },
  { path: "/procedures", action: "view_procedures", load: () => import("./ProceduresPage.svelte"), menu: { key: "customs.nav.procedures", group: "border", icon: "M6 3h9l4 4v14H6zM9 11h7M9 15h7M14 3v5h5" } },
  { path: "/procedures/", action: "view_procedures", load: () => import("./ProcedurePage.svelte") },
  { path: "/completeness", action: "view_customs", load: () => import("./MissingPage.svelte"), menu: { key: "customs.nav.missing", group: "border", icon: "M4 6h10M4 12h6M4 18h8M16 13l2 2 4-5M15 19h6" } },
  { path: "/complaints", action: "view_own_complaints", load: () => import("./ComplaintsPage.svelte"), menu: { key: "customs.nav.complaints", group: "border", icon: "M4 5h16v11H10l-5 4v-4H4zM8 9h8M8 12h5" } },
  { path: "/complaints/", action: "view_complaints", load: () => import("./ComplaintPage.svelte") },
];
