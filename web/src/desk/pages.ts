import type { Page } from "../app/pages";

export const deskPages: Page[] = [];
