// The base of every map here: land and borders of ours, in which Crimea is what it is, Ukraine; and between the two the
// customer's own map, where the hub has one (`map_tiles`). Where it cannot be read the plain base stays, and says so.
import type { OwnMap as Told } from "../client/types";
import * as maplibre from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import { PMTiles, Protocol } from "pmtiles";
import { ask } from "../client/http";
import { language } from "../i18n/index.svelte";
import { nameIn, OWN, rasterLayer, vectorLayers } from "./mapStyle";

/** What lies under our borders: the plain base, the customer's own map, or the plain base because theirs is broken. */
export interface Own { state: "plain" | "own" | "broken"; attribution: string }
export const PLAIN: Own = { state: "plain", attribution: "" };

maplibre.setWorkerUrl(workerUrl);
const protocol = new Protocol();
maplibre.addProtocol("pmtiles", protocol.tile);

export function tone(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

const ofUkraine = (yes: string, no: string): maplibre.ExpressionSpecification => ["case", ["get", "ukraine"], tone(yes), tone(no)];
const dark = (): boolean => document.documentElement.dataset["theme"] !== "light";

export function baseMap(
  container: HTMLElement, words: { nearer: string; farther: string }, said: (own: Own) => void,
  view: { center: [number, number]; zoom: number } = { center: [24.0, 49.8], zoom: 8 },
): maplibre.Map {
  const map = new maplibre.Map({
    locale: { "NavigationControl.ZoomIn": words.nearer, "NavigationControl.ZoomOut": words.farther },
    container, ...view, minZoom: 3, maxZoom: 17, attributionControl: false,
    style: {
      version: 8,
      sources: { base: { type: "geojson", data: "/map/base.json" } },
      layers: [
        { id: "sea", type: "background", paint: { "background-color": tone("--bg") } },
        { id: "land", type: "fill", source: "base", paint: { "fill-color": ofUkraine("--raised", "--panel") } },
        { id: "border", type: "line", source: "base", paint: { "line-color": ofUkraine("--accent", "--line"), "line-width": ["case", ["get", "ukraine"], 1.6, 0.8] } },
      ],
    },
  });
  map.addControl(new maplibre.NavigationControl({ showCompass: false }), "top-right");
  const laid: { told: Told | null; gone: boolean } = { told: null, gone: false };
  const ready = new Promise((done) => map.once("load", done));
  void find().then(async (told) => {
    if (!told) return;
    await ready;
    if (!laid.gone) lay(map, told, laid, said);
  }).catch(() => said({ state: "broken", attribution: "" }));
  const theme = new MutationObserver(() => void ready.then(() => { if (!laid.gone) paint(map, laid.told); }));
  theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  map.once("remove", () => {
    laid.gone = true;
    theme.disconnect();
  });
  return map;
}

const address = (): string => `${location.origin}/api/map/tiles`;

/** The customer's own map, or nothing where there is none; throws where there is one that cannot be read. */
async function find(): Promise<Told | null> {
  const told = await ask<Told>("/api/map").catch(() => null);  // who may not see the map's file sees the plain base
  if (told?.problem) throw new Error(told.problem);
  if (!told?.tiles) return null;
  const archive = new PMTiles(address());
  await archive.getHeader();
  protocol.add(archive);
  return told;
}

function lay(map: maplibre.Map, told: Told, laid: { told: Told | null }, said: (own: Own) => void): void {
  let seen = false;
  map.on("sourcedata", (event) => { if (event.sourceId === OWN && event.tile) seen = true; });
  map.on("error", (event) => {
    const from = (event as { sourceId?: string }).sourceId;
    if (from !== OWN) console.error(event.error);
    else if (!seen && laid.told) {
      laid.told = null;
      for (const layer of ownLayers(map)) map.removeLayer(layer.id);
      map.removeSource(OWN);
      paint(map, null);
      said({ state: "broken", attribution: "" });
    }
  });
  const url = `pmtiles://${address()}`;
  map.addSource(OWN, told.kind === "raster" ? { type: "raster", url, tileSize: 256 } : { type: "vector", url });
  laid.told = told;
  paint(map, told);
  said({ state: "own", attribution: told.attribution });
}

const ownLayers = (map: maplibre.Map): maplibre.LayerSpecification[] => map.getStyle().layers.filter((layer) => "source" in layer && layer.source === OWN);

/** Everything in the colours of the theme; the own map's layers anew, below our borders. */
function paint(map: maplibre.Map, told: Told | null): void {
  // A file without a layer for land (OpenMapTiles) is drawn on land, and its water on top.
  const onLand = told?.kind === "vector" && !told.layers.includes("earth");
  map.setPaintProperty("sea", "background-color", tone(onLand ? "--panel" : "--bg"));
  map.setPaintProperty("land", "fill-color", ofUkraine("--raised", "--panel"));
  map.setPaintProperty("border", "line-color", ofUkraine("--accent", told ? "--calm" : "--line"));
  for (const layer of ownLayers(map)) map.removeLayer(layer.id);
  if (!told) return;
  const layers = told.kind === "raster" ? [rasterLayer(dark())] : vectorLayers(told.layers, tone, language());
  for (const layer of layers) map.addLayer(layer, layer.type === "symbol" ? undefined : "border");
}

/** The names of places in `tongue`. */
export function speak(map: maplibre.Map, tongue: string): void {
  for (const layer of ownLayers(map)) if (layer.type === "symbol") map.setLayoutProperty(layer.id, "text-field", nameIn(tongue));
}

export { maplibre };
