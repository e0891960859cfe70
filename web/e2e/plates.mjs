// An alert comes to the desk and is confirmed; its plate is searched for a case, and its journey shown by leave of a second person.
import { choosePurpose, expect, until } from "./drive.mjs";
import { as, enter, over, picture, told } from "./screens.mjs";

const { browser, page, faults } = await as("dispatcher");
async function change(login) {
  await page.getByRole("button", { name: "Вийти" }).click();
  await page.waitForSelector("form");
  await enter(page, login);
  await page.goto(`${told.address}/`);
  await page.waitForSelector(".bar");
  if (await page.locator(".bar button.main").count()) await choosePurpose(page, "перевірка за справою 1107");
}
await choosePurpose(page, "перевірка за справою 1107");

// the desk
await page.goto(`${told.address}/desk`);
await page.locator(".alert", { hasText: "BC7731KM" }).first().waitFor();
await page.getByText("Це лише твердження машини").waitFor();
expect(await page.locator(".compare").innerText().then((text) => text.split("BC7731KM").length) >= 3, "what was read and what is wanted are not side by side");
await until(() => page.$eval("img.overview", (image) => image.naturalWidth > 0).catch(() => false), "the alert shows no picture");
await picture(page, "desk");
await page.getByRole("button", { name: /Підтвердити/ }).click();
await page.locator(".claim", { hasText: "підтверджено" }).waitFor();

// the search: not without a purpose that names a case, which this one does
await change("investigator");
await page.goto(`${told.address}/plates`);
await page.waitForSelector("input.field");
await page.fill("input.field", "вс77??км");
await page.keyboard.press("Enter");
await page.locator(".card").first().waitFor();
expect((await page.locator(".card").count()) === 4, "the pattern does not find four reads");
expect(await page.locator(".card img").first().evaluate((image) => image.naturalWidth > 0), "a read shows no picture");
await picture(page, "plates");
await page.locator(".card").first().click();
await page.locator("dialog dl").waitFor();
await picture(page, "read");
await page.locator("dialog header button").click();

// the journey needs leave
await page.goto(`${told.address}/plates/journey?plate=BC7731KM`);
await page.getByRole("button", { name: "Попросити дозвіл" }).click();
await page.fill("dialog textarea", "шлях викраденого авто за останній тиждень");
await page.locator("dialog button.main").click();
await page.getByText("Дозвіл запитано").waitFor();
await change("supervisor");
await page.goto(`${told.address}/plates/leave`);
await page.getByRole("button", { name: "Вирішити" }).click();
await page.fill("dialog textarea", "обґрунтовано матеріалами справи");
await page.locator("dialog button.main").click();
await page.getByText("надано").first().waitFor();
await picture(page, "leave");
await change("investigator");
await page.goto(`${told.address}/plates/leave`);
await page.getByRole("link", { name: "Маршрут" }).last().click();
await until(async () => (await page.locator("ol li").count()) === 3, "the journey has not three stops");
await until(async () => (await page.locator(".stop").count()) === 3, "the map has not three stops");
await picture(page, "journey");

// lists and quality
await page.goto(`${told.address}/hotlists`);
await page.getByText("викрадено вчора").waitFor();
await picture(page, "hotlists");
await page.goto(`${told.address}/plates/quality`);
await page.locator("tbody tr").first().waitFor();
await picture(page, "quality");
await page.click("nav .foot button[lang]");
await page.getByText("How well each camera reads").waitFor();
await browser.close();
over(faults);
