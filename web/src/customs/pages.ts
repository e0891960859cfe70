import type { Page } from "../app/pages";

export const customsPages: Page[] = [];
