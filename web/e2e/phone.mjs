// The menu on a phone, by keys and by touch: four at hand, the rest in a sheet that takes and gives back the focus.
import { expect, until } from "./drive.mjs";
import { as, over, told } from "./screens.mjs";

const { browser, page, faults } = await as("supervisor", { width: 390, height: 844 });
const at = () => page.evaluate(() => location.pathname);
const inside = () => page.evaluate(() => document.getElementById("nav-sheet").contains(document.activeElement));
expect((await page.locator(".hand a").count()) === 4, "there are not four pages at hand");
expect(!(await page.locator("#nav-sheet a").first().isVisible()), "the sheet is open from the start");
const more = page.locator(".hand button");
expect((await more.textContent()).trim() === "Ще", "the button has another name");
await more.focus();
await page.keyboard.press("Enter");
await until(inside, "the sheet does not take the focus");
await page.keyboard.press("Escape");
await until(async () => (await more.evaluate((e) => e === document.activeElement)) && !(await page.locator("#nav-sheet a").first().isVisible()), "Escape does not give the focus back");
await more.click();
await page.locator("#nav-sheet a[href='/settings']").click();
await until(async () => (await at()) === "/settings" && !(await page.locator("#nav-sheet a").first().isVisible()), "the sheet stays over the page it led to");
expect((await more.getAttribute("class")).includes("here"), "the bar does not say where one is");
await more.click();
await page.locator("#nav-sheet button[lang=en]").click();
await page.getByRole("button", { name: "More", exact: true }).waitFor();
await page.mouse.click(195, 40);
await until(async () => !(await page.locator("#nav-sheet a").first().isVisible()), "a touch beside the sheet does not close it");
await page.screenshot({ path: `${told.out}/phone.png` });
await browser.close();

const trail = await as("auditor", { width: 390, height: 844 });
await trail.page.goto(`${told.address}/audit`);
await trail.page.waitForSelector("tbody tr");
const narrow = await trail.page.$$eval("tbody td", (cells) => Math.min(...cells.filter((cell) => cell.textContent.trim()).map((cell) => cell.clientWidth)));
expect(narrow > 250, `a cell of the trail is ${narrow} px wide`);
await trail.page.screenshot({ path: `${told.out}/audit-phone.png` });
await trail.browser.close();
over(faults.concat(trail.faults));
