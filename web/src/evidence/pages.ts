import type { Page } from "../app/pages";

export const evidencePages: Page[] = [];
