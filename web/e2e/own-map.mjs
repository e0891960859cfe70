// The customer's own map under our borders: its pixels on the canvas, or the plain map and a word about it.
import { expect, until } from "./drive.mjs";
import { as, flip, over, picture, told } from "./screens.mjs";

const { browser, page, faults } = await as("operator", { theme: "light" });
await page.goto(`${told.address}/map`);
await page.waitForSelector(`.map[data-base=${told.state}]`);

/** The share of the map's pixels that have this colour, more or less. */
async function share(colour, within = 8) {
  const png = (await page.locator(".map canvas").screenshot()).toString("base64");
  return page.evaluate(async ([data, colour, within]) => {
    const image = new Image();
    image.src = `data:image/png;base64,${data}`;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    const all = context.getImageData(0, 0, image.width, image.height).data;
    let same = 0;
    for (let at = 0; at < all.length; at += 4) if (colour.every((value, n) => Math.abs(all[at + n] - value) < within)) same += 1;
    return (4 * same) / all.length;
  }, [png, colour, within]);
}

const accent = [0x16, 0x68, 0xa8];
const land = [0xee, 0xf2, 0xf6];
// Water: a quarter of the accent on the panel, which is white in the light theme.
const water = accent.map((value) => Math.round(value * 0.26 + 255 * 0.74));
const expected = told.colour ?? (told.state === "own" ? water : land);
await until(async () => (await share(expected)) > 0.3, `${told.name}: the colour ${expected} is not on the map`);
if (told.state === "own") expect((await share(land)) < 0.05, `${told.name}: the plain land lies over the own map`);
if (told.name === "vectors") {
  const shown = (how) => page.evaluate((display) => { for (const one of document.querySelectorAll(".maplibregl-marker, .maplibregl-ctrl")) one.style.display = display; }, how);
  // Letters are thin: their pixels are near the colour of text, not quite it.
  await shown("none");
  await until(async () => (await share([0x16, 0x21, 0x2d], 60)) > 0.00003, "the name of the town is not on the map");
  await picture(page, "own-town");
  await shown("");
}
for (let n = 0; n < 2; n += 1) await page.getByRole("button", { name: "Віддалити" }).click();
await until(async () => (await share(accent)) > 0.0005, `${told.name}: our borders of Ukraine are not on top`);
const credit = await page.locator(".credit").innerText();
expect(credit.includes("Natural Earth"), `who drew the borders is not said: ${credit}`);
expect(credit.includes("of the test") === (told.state === "own"), `whose map it is: ${credit}`);
expect(credit.includes("не вдалося прочитати") === (told.state === "broken"), `whether it is broken: ${credit}`);
await picture(page, `own-${told.name}`);
await flip(page);
await page.waitForTimeout(500);
await picture(page, `own-${told.name}-dark-en`);
await browser.close();
over(faults);
