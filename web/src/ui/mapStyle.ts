// How the customer's own base map is drawn: a plain style for the layers that Protomaps and OpenMapTiles files have, in
// the app's own colours. What it leaves out on purpose: the file's borders of countries and its names of countries and
// regions. Those are ours (`baseMap.ts`), so that Crimea is Ukraine whatever a file says.
import type { ExpressionSpecification, FilterSpecification, LayerSpecification } from "maplibre-gl";

export type Tone = (name: string) => string;
export const OWN = "own";

/** Both schemas name the sort of a thing by one word: `kind` (Protomaps), `class` (OpenMapTiles). */
const sort: ExpressionSpecification = ["coalesce", ["get", "kind"], ["get", "class"], ""];
const among = (...words: string[]): ExpressionSpecification => ["in", sort, ["literal", words]];
const widening = (near: number): ExpressionSpecification => ["interpolate", ["exponential", 1.5], ["zoom"], 6, 0.4, 12, near / 4, 17, near * 2];

const GREEN = ["forest", "wood", "park", "national_park", "nature_reserve", "grass", "grassland", "meadow", "scrub", "farmland", "garden", "cemetery", "wetland"];
const GREAT = ["highway", "motorway", "trunk"];
const MIDDLE = ["major_road", "primary", "secondary", "tertiary", "medium_road"];
const TOWNS = ["locality", "city", "town", "village", "suburb", "hamlet"];
// These two have a name of ours already, as the oblasts have.
const NAMED = ["Київ", "Севастополь", "Kyiv", "Sevastopol"];

export function nameIn(language: string): ExpressionSpecification {
  return language === "uk"
    ? ["coalesce", ["get", "name:uk"], ["get", "name_uk"], ["get", "name"], ""]
    : ["coalesce", ["get", "name:en"], ["get", "name_en"], ["get", "name:latin"], ["get", "name"], ""];
}

/** The layers of a file of vector tiles, lowest first; of `present` only, for a layer that is not there is a fault. */
export function vectorLayers(present: readonly string[], tone: Tone, language: string): LayerSpecification[] {
  const line = tone("--line");
  const fill = (layer: string, color: string, opacity = 1, filter?: FilterSpecification): LayerSpecification =>
    ({ id: `own-${layer}`, type: "fill", source: OWN, "source-layer": layer, ...(filter && { filter }), paint: { "fill-color": color, "fill-opacity": opacity } });
  const stroke = (id: string, layer: string, color: string, width: number, filter: FilterSpecification, minzoom = 0): LayerSpecification =>
    ({ id: `own-${id}-${layer}`, type: "line", source: OWN, "source-layer": layer, filter, minzoom, layout: { "line-cap": "round", "line-join": "round" }, paint: { "line-color": color, "line-width": widening(width) } });
  const roads = (layer: string): LayerSpecification[] => [
    stroke("street", layer, line, 4, ["!", among(...GREAT, ...MIDDLE, "rail", "ferry", "aerialway")], 11),
    stroke("road", layer, line, 7, among(...MIDDLE), 7),
    stroke("highway", layer, tone("--calm"), 7, among(...GREAT)),
  ];
  const inner: ExpressionSpecification = ["any", among("region", "county"), [">=", ["to-number", ["get", "admin_level"], 0], 4]];
  const known: Record<string, LayerSpecification[]> = {
    earth: [fill("earth", tone("--panel"))],
    landcover: [fill("landcover", tone("--good"), 0.1, among(...GREEN))],
    landuse: [fill("landuse", tone("--good"), 0.1, among(...GREEN))],
    water: [fill("water", tone("--accent"), 0.26, ["==", ["geometry-type"], "Polygon"]), stroke("stream", "water", tone("--accent"), 2, ["==", ["geometry-type"], "LineString"], 8)],
    waterway: [stroke("stream", "waterway", tone("--accent"), 2, true, 8)],
    buildings: [fill("buildings", line, 0.6)],
    building: [fill("building", line, 0.6)],
    roads: roads("roads"),
    transportation: roads("transportation"),
    boundaries: [stroke("inner", "boundaries", line, 3, inner)],
    boundary: [stroke("inner", "boundary", line, 3, inner)],
    places: [names("places", tone, language)],
    place: [names("place", tone, language)],
  };
  return Object.entries(known).flatMap(([name, layers]) => (present.includes(name) ? layers : []));
}

function names(layer: string, tone: Tone, language: string): LayerSpecification {
  return {
    id: `own-${layer}`, type: "symbol", source: OWN, "source-layer": layer, minzoom: 6,
    filter: ["all", among(...TOWNS), ["!", ["in", nameIn(language), ["literal", NAMED]]]],
    layout: { "text-field": nameIn(language), "text-font": ["Inter Variable", "sans-serif"], "text-size": ["interpolate", ["linear"], ["zoom"], 6, 11, 14, 15], "text-max-width": 8 },
    paint: { "text-color": tone("--text"), "text-halo-color": tone("--panel"), "text-halo-width": 1.4 },
  };
}

/** Pictures are shown as they are, only less bright in the dark. */
export function rasterLayer(dark: boolean): LayerSpecification {
  return { id: "own-raster", type: "raster", source: OWN, paint: dark ? { "raster-brightness-max": 0.6, "raster-saturation": -0.3 } : {} };
}
