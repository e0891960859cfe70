import { describe, expect, it } from "vitest";
import { GROUPS, pageAt, PAGES } from "./pages";

describe("the table of pages", () => {
  it("finds a page by its address, and the id in it", () => {
    expect(pageAt("/live").page.path).toBe("/live");
    expect(pageAt("/cameras/0193")).toMatchObject({ id: "0193", page: { path: "/cameras/" } });
    expect(pageAt("/nowhere").page.path).toBe("/");
  });
  it("has each address once, and each menu entry under a heading", () => {
    expect(new Set(PAGES.map((page) => page.path)).size).toBe(PAGES.length);
    for (const page of PAGES) if (page.menu) expect(GROUPS).toContain(page.menu.group);
  });
});
