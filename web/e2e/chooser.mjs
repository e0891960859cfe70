// One camera among seven hundred, far beyond what a page holds, is found and put on the wall and played back, by keys alone.
import { choosePurpose, expect, until } from "./drive.mjs";
import { as, flip, over, picture, told } from "./screens.mjs";

const { browser, page, faults } = await as("operator");
await page.goto(`${told.address}/live`);
await choosePurpose(page, "пошук камери");
await page.hover("figure >> nth=2");
await page.click("figure >> nth=2 >> button[aria-label='Прибрати камеру']");
await page.click("button.empty >> nth=0");
const found = () => page.locator("#chooser-list [role=option]").allTextContents();
await until(async () => (await found()).length >= 50, "the chooser is empty");
const choose = async (text, says) => {
  await page.keyboard.press("Control+A");
  await page.keyboard.type(text);
  await until(async () => (await found()).length === 1 && (await found())[0].includes(says), `${text}: ${await found()}`);
};
await choose("КАМЕРА 0677", "N-0677");
await choose("вузол 31", "N-0031");
await choose("n-0690", "N-0690");
await picture(page, "chooser");
await page.keyboard.press("Enter");
await until(async () => (await page.locator("figure .name").allTextContents()).includes("Камера 0690"), "the camera is not on the wall");
await page.fill("input.name", "Далекі");
await Promise.all([page.waitForResponse((one) => one.url().endsWith("/preferences/walls") && one.request().method() === "PUT"), page.getByRole("button", { name: "Зберегти стіну" }).click()]);
await page.reload();
await until(async () => (await page.locator("figure .name").allTextContents()).includes("Камера 0690"), "the wall forgot the camera");

await page.goto(`${told.address}/playback`);
await page.getByRole("button", { name: "Камера…" }).click();
for (const [text, says] of [["n-0698", "N-0698"], ["n-0699", "N-0699"]]) {
  await choose(text, says);
  await page.keyboard.press("Enter");
}
await page.keyboard.press("Escape");
await until(async () => (await page.locator("figure figcaption").allTextContents()).join().includes("Камера 0699"), "the camera is not played back");
await page.reload();
await until(async () => (await page.locator("figure figcaption").allTextContents()).join().includes("Камера 0698"), "the address forgot the camera");
await flip(page);
await page.keyboard.press("Escape");
await picture(page, "playback-empty");
expect((await page.locator("figure").count()) >= 2, "cameras are missing");
await browser.close();
over(faults);
