// The offline base map: Natural Earth's land and countries out of the package `world-atlas`, for Ukraine and its
// neighbours. Natural Earth draws de facto lines and gives Crimea to Russia; under international law Crimea is
// Ukraine (UN General Assembly resolution 68/262), so the part of Russia that lies in Crimea is moved to Ukraine here.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { feature } from "topojson-client";

const require = createRequire(import.meta.url);
const atlas = JSON.parse(readFileSync(require.resolve("world-atlas/countries-10m.json"), "utf8"));
const UKRAINE = "804";
const RUSSIA = "643";
const FRAME = { west: 8, east: 50, south: 38, north: 60 };
const CRIMEA = { west: 32.3, east: 36.72, south: 44.2, north: 46.3 };

const countries = feature(atlas, atlas.objects.countries).features;
const near = (ring, box) => ring.some(([x, y]) => x > box.west && x < box.east && y > box.south && y < box.north);
const inside = (ring, box) => ring.every(([x, y]) => x > box.west && x < box.east && y > box.south && y < box.north);
const polygons = (geometry) => (geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates);

const kept = new Map();
const moved = [];
for (const country of countries) {
  const parts = [];
  for (const polygon of polygons(country.geometry)) {
    if (country.id === RUSSIA && inside(polygon[0], CRIMEA)) moved.push(polygon);
    else if (near(polygon[0], FRAME)) parts.push(polygon);
  }
  if (parts.length) kept.set(country.id ?? country.properties.name, { name: country.properties.name, parts });
}
kept.get(UKRAINE).parts.push(...moved);

const round = (ring) => ring.map(([x, y]) => [Math.round(x * 1e3) / 1e3, Math.round(y * 1e3) / 1e3]);
const features = [...kept].map(([id, { name, parts }]) => ({
  type: "Feature",
  properties: { id, name, ukraine: id === UKRAINE },
  geometry: { type: "MultiPolygon", coordinates: parts.map((rings) => rings.map(round)) },
}));
mkdirSync(new URL("../public/map/", import.meta.url), { recursive: true });
writeFileSync(new URL("../public/map/base.json", import.meta.url), JSON.stringify({ type: "FeatureCollection", features }));
console.log(`base map: ${features.length} countries, ${moved.length} parts of Crimea drawn as Ukraine`);
