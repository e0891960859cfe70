// One newcomer's walk through the demonstration: node story.mjs ADDRESS PEOPLE.json FOLDER
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { choosePurpose, expect, open, signIn, until } from "./drive.mjs";

const [address, peopleFile, folder] = process.argv.slice(2);
const people = JSON.parse(readFileSync(peopleFile, "utf8"));
const step = (text) => console.log(`ok ${text}`);

const { browser, page, faults } = await open({ address });
await signIn(page, "investigator", people.investigator);
await page.goto(`${address}/live`);
expect(await page.locator("video").count() === 0, "footage was shown without a purpose");
await choosePurpose(page, "перевірка демонстрації");
step("no footage without a purpose");

await until(async () => {
  const times = await page.$$eval("video", (all) => all.filter((v) => v.currentTime > 1.5 && v.videoWidth > 0).length);
  return times >= 6;
}, "fewer than six live pictures move");
const before = await page.$$eval("video", (all) => all.map((v) => v.currentTime));
await page.waitForTimeout(2000);
const after = await page.$$eval("video", (all) => all.map((v) => v.currentTime));
expect(after.filter((t, n) => t > before[n] + 1).length >= 5, "live pictures stand still");
const delays = await page.$$eval("figcaption .delay", (all) => all.map((d) => parseFloat(d.textContent)));
expect(Math.min(...delays) < 1, `live pictures are late: ${delays}`);
step("live pictures move");
await page.screenshot({ path: join(folder, "live.png") });

await page.goto(`${address}/playback`);
await until(() => page.$eval("video", (v) => v.currentTime > 0 && v.videoWidth > 0 && !v.paused).catch(() => false), "nothing is played back");
await page.keyboard.press("[");
await page.waitForTimeout(4000);
await page.keyboard.press("]");
step("footage is played back");
await page.screenshot({ path: join(folder, "playback.png") });
const exporting = page.locator(".controls button", { hasText: "Експорт" });
await exporting.click();
const downloads = [];
page.on("download", (download) => downloads.push(download));
await page.click("dialog button.main");
await until(() => Promise.resolve(downloads.length === 2), "the export did not come");
for (const download of downloads) await download.saveAs(join(folder, download.suggestedFilename()));
const names = downloads.map((d) => d.suggestedFilename());
expect(names.some((n) => n.endsWith(".mp4")) && names.some((n) => n.endsWith(".json")), `exported ${names}`);
expect(names.every((n) => statSync(join(folder, n)).size > 1000), "an export is empty");
step(`exported ${names.join(" and ")}`);

for (const [path, wanted] of [["/map", ".maplibregl-canvas"], ["/cameras", "tbody tr"], ["/restoration", "svg polygon"], ["/oversight/ledger", "pre"], ["/settings", "section"]]) {
  await page.goto(address + path);
  await page.waitForSelector(wanted);
  await page.waitForTimeout(800);
  await page.screenshot({ path: join(folder, `${path.replaceAll("/", "-").slice(1)}.png`) });
}
expect((await page.goto(`${address}/map`), await page.waitForSelector(".pin, .cluster"), true), "no camera on the map");
await page.goto(`${address}/cameras?finding=default-password`);
await page.waitForSelector("tbody tr");
await page.click("tbody a");
await page.waitForSelector(".finding.critical");
step("map, fleet, posture, restoration, ledger are there");
await page.click("nav .foot button >> nth=0");
await page.waitForSelector("text=Security posture");
step("the other language without a reload");
await page.click("text=Sign out");
await page.waitForSelector("form");
await signIn(page, "auditor", people.auditor);
await page.goto(`${address}/audit`);
await page.waitForSelector("tbody tr");
const trail = await page.textContent("tbody");
expect(trail.includes("перевірка демонстрації"), "the trail does not say why");
expect(trail.includes("експорт"), "the trail does not name the export");
await page.goto(`${address}/live`);
await page.waitForTimeout(600);
expect(await page.locator("video").count() === 0, "the auditor sees footage");
step("the auditor reads the trail and sees no footage");
await browser.close();

const phone = await open({ address, width: 390, height: 844, language: "en", theme: "light" });
await signIn(phone.page, "operator", people.operator);
for (const path of ["/", "/live", "/playback", "/map", "/cameras", "/settings"]) {
  await phone.page.goto(address + path);
  await phone.page.waitForTimeout(700);
  const wide = await phone.page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  expect(!wide, `${path} is wider than a phone`);
}
step("every page fits a phone");
await phone.browser.close();
expect(faults.concat(phone.faults).length === 0, `the console complained: ${faults.concat(phone.faults).join(" | ")}`);
step("no complaint in the console");
