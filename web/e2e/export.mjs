// An export goes to disk by the browser's own download: the page holds none of it, says how far it is, and can stop it.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { choosePurpose, expect, until } from "./drive.mjs";
import { as, over, picture, told } from "./screens.mjs";

const { browser, page, faults } = await as("investigator");
const { a } = told;
await page.goto(`${told.address}/live`);
if (await page.locator(".bar button.main").count()) await choosePurpose(page, "експорт");
await page.goto(`${told.address}/playback?camera=${a.camera}&at=${new Date(a.stretches[0][0] + 3000).toISOString()}`);
await until(async () => (await page.$eval("figure", (e) => e.dataset.shown).catch(() => "")) === "shown", "nothing is shown");
await page.keyboard.press(" ");
await page.keyboard.press("[");
for (let n = 0; n < 3; n += 1) await page.keyboard.press("ArrowRight");
await until(async () => (await page.$eval("figure", (e) => e.dataset.shown)) === "shown", "nothing is shown");
await page.keyboard.press("]");
await page.getByRole("button", { name: /^Експорт/ }).click();
await picture(page, "export");
const fetched = [];
page.on("response", (response) => { if (response.request().resourceType() === "fetch") fetched.push(new URL(response.url()).pathname); });
const downloads = [];
page.on("download", (download) => downloads.push(download));
await page.click("dialog button.main");
await until(() => Promise.resolve(downloads.length === 2), "the export and its proof did not come");
for (const download of downloads) {
  expect(!download.url().startsWith("blob:"), `the page held ${download.suggestedFilename()} in memory`);
  await download.saveAs(join(told.out, download.suggestedFilename()));
}
expect(!fetched.some((path) => path.endsWith("/media") && path.includes("/exports/")), "the page fetched the export itself");
const name = downloads[0].suggestedFilename();
const media = readFileSync(join(told.out, name));
const proof = JSON.parse(readFileSync(join(told.out, downloads[1].suggestedFilename()), "utf8"));
expect(proof.media.sha256 === createHash("sha256").update(media).digest("hex"), `the proof is of another file: ${JSON.stringify(proof.media)}`);
await page.waitForSelector("text=Готово");
const again = await page.request.get(downloads[0].url());
expect(again.status() === 409, `a used link answers ${again.status()}`);

// stopped before it began to flow: the server lets no byte of it go any more
await page.evaluate(() => { HTMLAnchorElement.prototype.click = () => undefined; });
const made = page.waitForResponse((response) => response.url().includes("/export/ticket"));
await page.click("dialog button.main");
await page.waitForSelector("dialog progress");
await page.locator("dialog .end button").click();
await page.waitForSelector("text=/скасовано|cancelled/");
const { ticket } = await (await made).json();
expect((await page.request.get(`${told.address}/api/exports/${ticket}/media`)).status() === 409, "a cancelled export is still given out");
await browser.close();
over(faults);
