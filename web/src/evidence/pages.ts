import type { Page } from "../app/pages";

export const evidencePages: Page[] = [
  { path: "/cases", action: "view_cases", load: () => import("./CasesPage.svelte"), menu: { key: "nav.cases", group: "evidence", icon: "M3 7h6l2 2h10v10H3zM3 7V5h6l2 2" } },
  { path: "/cases/", action: "view_cases", load: () => import("./CasePage.svelte") },
  { path: "/disclosures", action: "approve_disclosure", load: () => import("./ApprovalsPage.svelte"), menu: { key: "nav.approvals", group: "evidence", icon: "M4 12l5 5L20 6M4 4h10M4 20h16" } },
  { path: "/disclosures/", action: "view_cases", load: () => import("./DisclosurePage.svelte") },
  { path: "/redactions/", action: "view_exhibit", load: () => import("./RedactionPage.svelte") },
];
