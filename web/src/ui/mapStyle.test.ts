import { expect, test } from "vitest";
import { rasterLayer, vectorLayers } from "./mapStyle";

const tone = (name: string) => name;
const PROTOMAPS = ["earth", "landcover", "landuse", "water", "roads", "buildings", "boundaries", "places", "pois"];

test("only layers that the file has are drawn, each once", () => {
  const drawn = vectorLayers(PROTOMAPS, tone, "uk");
  const ids = drawn.map((layer) => layer.id);
  expect(new Set(ids).size).toBe(ids.length);
  expect([...new Set(drawn.map((layer) => "source-layer" in layer && layer["source-layer"]))].sort()).toEqual(PROTOMAPS.filter((name) => name !== "pois").sort());
  expect(vectorLayers([], tone, "uk")).toEqual([]);
});

test("neither borders nor names of countries come from the file", () => {
  const drawn = vectorLayers([...PROTOMAPS, "boundary", "place"], tone, "uk");
  const inner = drawn.filter((layer) => layer.id.startsWith("own-inner"));
  expect(inner.length).toBe(2);
  for (const layer of inner) expect(JSON.stringify("filter" in layer && layer.filter)).toContain('"region","county"');
  expect(JSON.stringify(drawn)).not.toMatch(/country|"state"/);
});

test("names follow the language, and pictures the theme", () => {
  const name = (language: string) => JSON.stringify(vectorLayers(["place"], tone, language));
  expect(name("uk")).toContain("name:uk");
  expect(name("en")).toContain("name:en");
  expect(rasterLayer(true).paint).not.toEqual(rasterLayer(false).paint);
});
