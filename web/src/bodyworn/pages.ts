import type { Page } from "../app/pages";

export const bodywornPages: Page[] = [];
