// Columns are chosen and stay chosen, the table goes out as CSV as it is filtered, and walls are renamed and deleted.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, until } from "./drive.mjs";
import { as, flip, over, picture, told } from "./screens.mjs";

const { browser, page, faults } = await as("dispatcher");
await page.click("nav a[href='/cameras']:visible");
await page.getByRole("link", { name: "A-1" }).waitFor();
await page.getByRole("button", { name: "Стовпці" }).click();
await page.getByRole("checkbox", { name: "Виробник" }).check();
await page.getByRole("checkbox", { name: "Область" }).uncheck();
while (await page.getByRole("button", { name: "Раніше: Виробник" }).isEnabled()) await page.getByRole("button", { name: "Раніше: Виробник" }).click();
await picture(page, "columns");
await page.keyboard.press("Escape");
const heads = () => page.locator("thead th").allTextContents();
expect((await heads())[0] === "Виробник", `the maker is not first: ${await heads()}`);
await page.reload();
await until(async () => (await heads())[0] === "Виробник" && !(await heads()).includes("Область"), "the columns were forgotten");
await page.getByRole("combobox", { name: "Вид" }).selectOption("plate");
await until(async () => (await page.locator("tbody tr").count()) === 1, "the filter left more than one");
const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Завантажити CSV" }).click()]);
await download.saveAs(join(told.out, "cameras.csv"));
const lines = readFileSync(join(told.out, "cameras.csv"), "utf8").trimEnd().split("\r\n");
expect(lines.length === 2 && lines[0].startsWith("\ufeffmaker;number;"), lines.join("\n"));
expect(lines[1].includes("'=HYPERLINK"), "a formula went out");
await picture(page, "fleet");

await page.click("nav a[href='/live']:visible");
for (const name of ["Ринок", "Вокзал"]) {
  await page.getByRole("textbox", { name: "Назва стіни" }).fill(name);
  await page.getByRole("button", { name: "Зберегти стіну" }).click();
  await until(async () => (await page.locator(".bar select option").allTextContents()).includes(name), `${name} was not saved`);
}
await page.getByRole("button", { name: "Стіни…" }).click();
await page.getByRole("textbox", { name: "Назва стіни: Ринок" }).fill("Вокзал");
await page.keyboard.press("Tab");
await page.getByRole("alert").waitFor();
await page.getByRole("textbox", { name: "Назва стіни: Ринок" }).fill("Площа");
await page.keyboard.press("Tab");
await page.getByText("Стіну перейменовано").waitFor();
await picture(page, "walls");
await page.getByRole("button", { name: "Видалити: Вокзал" }).click();
await page.locator("dialog button.main").click();
await page.getByText("Стіну видалено").waitFor();
await page.locator("dialog").getByRole("button", { name: "Закрити" }).click();
await page.reload();
await until(async () => (await page.locator(".bar select option").allTextContents()).join() === "Площа", "the walls were not kept");
await flip(page);
await picture(page, "live-en-light");
await browser.close();
over(faults);
