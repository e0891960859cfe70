// A case from its first day to a bundle: opened on a reference, footage booked in from the timeline in two clicks, custody,
// a still, the assistant that says exactly what leaves, another person's approval, the bundle on disk. told.a is a channel.
import { join } from "node:path";
import { expect, until } from "./drive.mjs";
import { as, enter, flip, over, picture, told } from "./screens.mjs";

const { a } = told;
const begin = a.stretches[0][0];
const { browser, page, faults } = await as("investigator");
page.on("dialog", (dialog) => void dialog.accept("поворот ліворуч, видно номер"));
const step = (text) => console.log(`ok ${text}`);
const shown = async () => (await page.$eval("figure", (figure) => figure.dataset.shown).catch(() => "")) === "shown";
const pass = async (reason) => {
  await page.fill("form input[minlength]", reason);
  await page.click("form button.main");
};
const leave = async () => {
  await page.click("nav .foot button:last-child");
  await page.waitForSelector("form input[type=password]");
};

// the case
await page.goto(`${told.address}/cases`);
await page.getByRole("button", { name: "Відкрити справу" }).click();
await page.waitForSelector("dialog input[type=checkbox]");
await page.locator("dialog input[type=checkbox]").first().check();
await picture(page, "open-case");
await page.click("dialog button.main");
await page.waitForSelector("form input[minlength]");
expect((await page.locator("[role=tab]").count()) === 0, "a case is shown without a purpose");
await picture(page, "case-gate");
await pass("огляд доказів у справі");
await page.waitForSelector("[role=tab]");
const work = page.url().split("?")[0];
step("a case is opened, and asks why before it shows anything");

// footage, from the timeline
await page.goto(`${told.address}/playback?camera=${a.camera}&at=${new Date(begin + 6_000).toISOString()}`);
await until(shown, "nothing is shown");
await page.keyboard.press(" ");
await page.keyboard.press("[");
for (let n = 0; n < 2; n += 1) await page.keyboard.press("ArrowRight");
await until(shown, "nothing is shown");
await page.keyboard.press("]");
await page.getByRole("button", { name: "До справи" }).click();
await page.waitForFunction(() => document.querySelector("dialog select")?.value);
await picture(page, "book-in");
await page.click("dialog button.main");
await page.waitForSelector("dialog [role=status]");
await page.click("dialog a.button");
await page.waitForSelector("article video");
await until(() => page.$eval("article video", (v) => v.readyState >= 2 && v.videoWidth > 0).catch(() => false), "the exhibit does not play");
step("two clicks book a range in, and it plays");

// the exhibit and its custody
await page.waitForSelector("article .verdict");
expect(!(await page.$("article .verdict.bad")), "the chain of custody is told to be broken");
await page.$eval("article video", (v) => { v.currentTime = 4; });
await page.getByRole("button", { name: "Закладка тут" }).click();
await page.waitForSelector("article button[title]");
await until(() => page.locator(".verdict").innerText().then((says) => says.includes("Ланцюжок цілий")), "custody is not told to be whole");
await picture(page, "case");
await page.getByRole("button", { name: "Зберегти кадр" }).click();
await page.waitForSelector("article img");
await until(() => page.$eval("article img", (img) => img.complete && img.naturalWidth > 0), "the still is not shown");
await flip(page);
await picture(page, "case-still-en");
await flip(page);
for (const [number, name] of [[1, "case-time"], [2, "case-members"], [3, "case-notes"]]) {
  await page.locator("[role=tab]").nth(number).click();
  await page.waitForLoadState("networkidle");
  await picture(page, name);
}
await page.locator("[role=tab]").first().click();

// the disclosure assistant
await page.getByRole("button", { name: "Підготувати передання" }).click();
await page.locator("dialog input[type=checkbox]").first().check();
await picture(page, "disclose-what");
await page.click("dialog button.main");
await page.locator("dialog input").nth(0).fill("Личаківський районний суд");
await page.locator("dialog input").nth(2).fill("судове засідання 1 грудня");
await page.locator("dialog input").nth(3).fill("КПК України, ст. 290");
await picture(page, "disclose-whom");
await page.click("dialog button.main");
await page.waitForSelector(".acts .state");
await picture(page, "disclosure");
const disclosure = page.url();
expect(!(await page.locator(".acts button.main").count()), "whoever asks may approve");
await leave();

// another person
await enter(page, "supervisor");
await page.goto(`${told.address}/disclosures`);
await page.waitForSelector("main table a");
await picture(page, "approvals");
await page.click("main table a");
expect(page.url() === disclosure, "the list leads elsewhere");
await pass("затвердження передання");
await page.waitForSelector(".acts button.main");
await flip(page);
await picture(page, "disclosure-en");
await flip(page);
await page.click(".acts button.main");
await page.waitForSelector("text=затверджено");
await leave();
step("what leaves is shown to both, and approved by another");

// the bundle
await enter(page, "investigator");
await page.goto(disclosure);
await page.getByRole("button", { name: "Виготовити пакет" }).click();
const take = page.getByRole("link", { name: /Узяти пакет/ });
await take.waitFor({ timeout: 120_000 });
const [download] = await Promise.all([page.waitForEvent("download"), take.click()]);
await download.saveAs(join(told.out, "bundle.zip"));
await page.getByText("Пакет узято").waitFor();
await picture(page, "disclosure-made");
await page.goto(work);
await page.waitForSelector("article .verdict");
await page.getByText("передано назовні: Личаківський районний суд").waitFor();
await picture(page, "custody");
step("the bundle is on disk, and custody says to whom it went");

// who countersigns
await page.goto(`${told.address}/oversight/ledger`);
await until(async () => (await page.locator("[data-witness]").filter({ hasText: "скріпив" }).count()) === 2, "not both witnesses are told to have countersigned");
expect(!(await page.locator("[role=alert]").count()), "the ledger's page tells of an alarm");
await page.getByText("Відбиток ключів").waitFor();
await picture(page, "ledger");
await flip(page);
await picture(page, "ledger-en");
step("the ledger's page tells who countersigned");
over(faults);
await browser.close();
