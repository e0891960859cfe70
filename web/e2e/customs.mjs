// A shift at a checkpoint: cameras taken at the dock's tablet, also without a link; what is missing seen, shown, complained of, reported.
import { join } from "node:path";
import { choosePurpose, expect, until } from "./drive.mjs";
import { as, over, picture, told } from "./screens.mjs";

// the tablet at the dock
const { browser, page, faults } = await as("officer", { width: 1024, height: 768 });
const badge = async (code) => {
  await page.fill(".scan input", code);
  await page.keyboard.press("Enter");
  await page.locator(".choices button").first().waitFor();
};
await page.goto(`${told.address}/worn/dock`);
await page.locator(".slot").first().waitFor();
await badge("RFID-М-1041");
await picture(page, "dock-choice");
await page.locator(".choices button", { hasText: "BW-06" }).click();
await page.getByText("BW-06 видано, жетон М-1041").waitFor();

// the link is lost: what is done waits on the tablet
await page.context().setOffline(true);
await badge("М-1042");
await page.locator(".choices button", { hasText: "BW-04" }).click();
await page.getByText("Чекає на передачу: 1").waitFor();
await page.locator(".slot.out", { hasText: "BW-04" }).getByText("М-1042").waitFor();
await picture(page, "dock-offline");
await page.context().setOffline(false);
await page.getByText("● Зв'язок є").waitFor();

// and a camera comes back
await badge("М-1041");
await page.getByRole("button", { name: "Повернути BW-06" }).click();
await page.getByText("BW-06 повернено").waitFor();
await page.locator(".slot.missing", { hasText: "BW-03" }).waitFor();
await picture(page, "dock");
const cut = faults.filter((fault) => !/ERR_INTERNET_DISCONNECTED/.test(fault));
await browser.close();

const opener = (at) => async (path, sign) => {
  await at.goto(`${told.address}${path}`);
  await at.locator(sign).first().waitFor();
};
/** The month's report in the language of the screen, as a file. */
const report = async (at, language) => {
  await opener(at)("/checkpoints", "input[type=month]");
  await at.locator("section", { has: at.locator("input[type=month]") }).locator("button.main").click();
  const link = at.locator("a[href^='/api/customs/reports/']");
  await link.waitFor({ timeout: 120_000 });
  const [file] = await Promise.all([at.waitForEvent("download"), link.click()]);
  await file.saveAs(join(told.out, `report-${language}.pdf`));
};

// the shift leader: what is missing stands first, and nothing else
const leader = await as("supervisor");
const desk = leader.page;
const open = opener(desk);
await choosePurpose(desk, "чергування зміни на пункті пропуску");
await open("/checkpoints", "[aria-labelledby=troubles] li");
const troubles = await desk.locator("[aria-labelledby=troubles] li strong").allInnerTexts();
expect(JSON.stringify(troubles) === JSON.stringify(["Натільна камера: вимкнено, 40 с", "Натільна камера: вивантаження перервано, 90 с", "Знімок сканера: не надійшов"]), `the leader sees ${troubles}`);
await picture(desk, "checkpoint-uk");
await open("/worn/shifts", ".shift");
await desk.getByText("Вивантаження перервано").first().waitFor();
await picture(desk, "shifts-uk");
await open("/completeness", "tbody tr");
expect((await desk.locator("tbody tr").count()) === 3, "the list has not three rows");
await picture(desk, "missing-uk");
await desk.keyboard.press("j");
await desk.keyboard.press("k");
await desk.keyboard.press("Enter");
await desk.waitForURL(/procedures\/./);
await desk.getByText("вимкнено").first().waitFor();
await desk.locator("video").first().waitFor();
await picture(desk, "procedure-uk");
const procedure = new URL(desk.url()).pathname;

// a complaint finds its footage
await open("/complaints", "h1");
await desk.getByRole("button", { name: "Нова скарга" }).click();
await desk.getByLabel("Від", { exact: true }).fill(told.from);
await desk.getByLabel("До", { exact: true }).fill(told.to);
await desk.getByLabel("Номер авто").fill("вс 1042 нв");
await desk.getByLabel("На що скаржаться").fill("Мене тримали годину без пояснень.");
await picture(desk, "complaint-new-uk");
await desk.getByRole("button", { name: "Відкрити й зберегти відео" }).click();
await desk.waitForURL(/complaints\/./);
await desk.getByText("Знайдено процедур: 1").waitFor();
await desk.getByText("BW-02").first().waitFor();
await picture(desk, "complaint-uk");
await desk.locator("tbody a[href^='/procedures/']").click();
await desk.waitForURL(`**${procedure}`);
await until(() => desk.locator("video").first().evaluate((video) => video.readyState > 1).catch(() => false), "the complaint's footage does not play", 60_000);

await report(desk, "uk");
await leader.browser.close();

// all of it in English
const english = await as("supervisor", { language: "en" });
const look = opener(english.page);
await english.page.waitForSelector(".bar .chip, .bar button.main");
if (await english.page.locator(".bar button.main").count()) await choosePurpose(english.page, "the shift at the checkpoint");
await look("/checkpoints", "[aria-labelledby=troubles] li");
await english.page.getByText("Body camera: upload broken off, 90 s").waitFor();
await picture(english.page, "checkpoint-en");
for (const [name, path, sign] of [["shifts", "/worn/shifts", ".shift"], ["dock", "/worn/dock", ".slot"], ["missing", "/completeness", "tbody tr"], ["procedure", procedure, "video"], ["complaints", "/complaints", "tbody tr"], ["register", "/worn/register", "form"]]) {
  await look(path, sign);
  await picture(english.page, `${name}-en`);
}
await report(english.page, "en");
await english.browser.close();
over([...cut, ...leader.faults, ...english.faults]);
