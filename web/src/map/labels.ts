// Which names of oblasts stand on the map, and where: in the viewer's language, none on top of another.
// They are HTML, not symbols of the style: those would need glyph files from a server that nobody has offline.
import type { Language } from "../i18n/index.svelte";

export interface Region {
  code: string;
  name_uk: string;
  name_en: string;
  lat: number;
  lon: number;
}

export interface Box { left: number; right: number; top: number; bottom: number }

export interface Label {
  code: string;
  text: string;
  city: boolean;
  at: [number, number];
  box: Box;
}

const [LETTER_PX, LINE_PX, GAP_PX] = [6.4, 14, 4];
const LAST_ZOOM = 10;
const CRIMEA = "UA01";
const CITIES = new Set(["UA80", "UA85"]);

export function byBlocks(one: Box, other: Box): boolean {
  return one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
}

/** The labels that fit at this zoom. Crimea and then the other oblasts come before cities, so that cities give way. */
export function placed(
  regions: readonly Region[], project: (at: [number, number]) => { x: number; y: number }, language: Language, zoom: number,
): Label[] {
  if (zoom >= LAST_ZOOM) return [];
  const rank = (one: Region) => (one.code.startsWith(CRIMEA) ? 0 : CITIES.has(one.code.slice(0, 4)) ? 2 : 1);
  const taken: Label[] = [];
  for (const region of [...regions].sort((a, b) => rank(a) - rank(b))) {
    const text = language === "uk" ? region.name_uk : region.name_en;
    const at: [number, number] = [region.lon, region.lat];
    const { x, y } = project(at);
    const half = (Math.max(...text.split(" ").map((word) => word.length), zoom < 6 ? 0 : text.length) * LETTER_PX) / 2 + GAP_PX;
    const lines = zoom < 6 ? text.split(" ").length : 1;
    const high = (lines * LINE_PX) / 2 + GAP_PX;
    const box = { left: x - half, right: x + half, top: y - high, bottom: y + high };
    if (!taken.some((other) => byBlocks(box, other.box))) taken.push({ code: region.code, text, city: rank(region) === 2, at, box });
  }
  return taken;
}
