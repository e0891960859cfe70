import type { Page } from "../app/pages";

export const platePages: Page[] = [];
