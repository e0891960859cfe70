import type { Page } from "../app/pages";

export const deskPages: Page[] = [
  { path: "/desk", action: "view_alerts", load: () => import("./DeskPage.svelte"), menu: { key: "nav.desk", group: "watch", icon: "M12 3a6 6 0 0 1 6 6v4l2 3H4l2-3V9a6 6 0 0 1 6-6zM10 19a2 2 0 0 0 4 0" } },
];
