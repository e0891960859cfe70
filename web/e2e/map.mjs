// The map names every oblast in the language of the interface, Crimea as what it is, from afar and from near.
import { expect, until } from "./drive.mjs";
import { as, flip, over, picture } from "./screens.mjs";

const { browser, page, faults } = await as("operator");
await page.click("nav a[href='/map']:visible");
const names = () => page.locator(".region").allTextContents();
await until(async () => (await names()).includes("Львівська область"), "no names on the map");
await page.waitForTimeout(1500);
await picture(page, "map");
for (let n = 0; n < 2; n += 1) {
  await page.getByRole("button", { name: "Віддалити" }).click();
  await page.waitForTimeout(700);
}
await until(async () => (await names()).includes("Автономна Республіка Крим"), "Crimea has no name");
await picture(page, "map-afar");
await flip(page);
await until(async () => (await names()).includes("Autonomous Republic of Crimea"), "the names did not follow the language");
expect(!(await names()).some((name) => /[а-яіїє]/i.test(name)), "a name stayed Ukrainian");
await picture(page, "map-en-light");
await browser.close();
over(faults);
