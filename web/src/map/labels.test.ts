import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { byBlocks, placed, type Region } from "./labels";

const table = readFileSync(join(__dirname, "../../../src/svidok/fleet/regions.csv"), "utf8").trim().split("\n").slice(1);
const regions: Region[] = table.map((line) => {
  const [code, name_uk, name_en, lat, lon] = line.split(",") as [string, string, string, string, string];
  return { code, name_uk, name_en, lat: Number(lat), lon: Number(lon) };
});
/** Web Mercator, as the map draws. */
function at(zoom: number) {
  const size = 512 * 2 ** zoom;
  return ([lon, lat]: [number, number]) => ({
    x: ((lon + 180) / 360) * size,
    y: (0.5 - Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360)) / (2 * Math.PI)) * size,
  });
}

describe("names on the map", () => {
  it("are all there from afar to near, Crimea and Sevastopol among them, each where it is drawn", () => {
    const near = placed(regions, at(8), "uk", 8).map((label) => label.text);
    expect(near).toHaveLength(27);
    expect(near).toContain("Автономна Республіка Крим");
    expect(near).toContain("Севастополь");
    for (const language of ["uk", "en"] as const) {
      expect(placed(regions, at(5), language, 5).map((label) => label.code)).toContain("UA01000000000013043");
    }
  });
  it("never lie on one another", () => {
    for (const language of ["uk", "en"] as const) {
      for (const zoom of [4, 5, 6, 7, 8]) {
        const boxes = placed(regions, at(zoom), language, zoom).map((label) => label.box);
        expect(boxes.length, `zoom ${zoom}`).toBeGreaterThan(zoom < 5 ? 3 : 10);
        boxes.forEach((one, i) => boxes.slice(i + 1).forEach((other) => expect(byBlocks(one, other)).toBe(false)));
      }
    }
  });
  it("leave the map when streets matter", () => {
    expect(placed(regions, at(12), "uk", 12)).toEqual([]);
  });
});
