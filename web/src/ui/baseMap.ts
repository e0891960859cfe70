// The plain base map for pages that show a few places on it; Crimea is drawn as what it is, Ukraine.
import * as maplibre from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";

maplibre.setWorkerUrl(workerUrl);

export function tone(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

export function baseMap(container: HTMLElement, words: { nearer: string; farther: string }): maplibre.Map {
  const ofUkraine = (yes: string, no: string): maplibre.ExpressionSpecification => ["case", ["get", "ukraine"], tone(yes), tone(no)];
  const map = new maplibre.Map({
    locale: { "NavigationControl.ZoomIn": words.nearer, "NavigationControl.ZoomOut": words.farther },
    container, center: [24.0, 49.8], zoom: 8, minZoom: 3, maxZoom: 17, attributionControl: false,
    style: {
      version: 8,
      sources: { base: { type: "geojson", data: "/map/base.json" } },
      layers: [
        { id: "sea", type: "background", paint: { "background-color": tone("--bg") } },
        { id: "land", type: "fill", source: "base", paint: { "fill-color": ofUkraine("--raised", "--panel") } },
        { id: "border", type: "line", source: "base", paint: { "line-color": ofUkraine("--accent", "--line"), "line-width": 1 } },
      ],
    },
  });
  map.addControl(new maplibre.NavigationControl({ showCompass: false }), "top-right");
  return map;
}

export { maplibre };
