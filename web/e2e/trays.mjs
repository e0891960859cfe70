// A new alarm is heard of at once and said aloud, somebody takes it; a job shows how far it is and is cancelled.
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, until } from "./drive.mjs";
import { as, flip, over, picture, told } from "./screens.mjs";

const { browser, page, faults } = await as("operator");
await page.getByRole("button", { name: "Тривоги, непідтверджених: 1" }).waitFor();
await page.waitForTimeout(1000);
writeFileSync(join(told.out, "ready"), "");
await until(() => existsSync(join(told.out, "raised")), "nobody raised an alarm");
await until(async () => (await page.locator("[aria-live=polite]").allTextContents()).join().includes("Нова тривога: Диск заповнено /disks/2"), "the alarm was not said", 6000);
await page.getByRole("button", { name: "Тривоги, непідтверджених: 2" }).click();
await picture(page, "alarms");
await page.getByRole("button", { name: "Беру на себе: Диск заповнено /disks/2" }).click();
await page.getByText("взято: Name of operator").waitFor();
await page.keyboard.press("Escape");
expect((await page.locator("#tray-alarms").count()) === 0, "Escape leaves the tray open");
expect((await page.evaluate(() => document.activeElement?.getAttribute("aria-controls"))) === "tray-alarms", "the focus is lost");
await page.getByRole("button", { name: "Тривоги, непідтверджених: 1" }).waitFor();

await page.getByRole("button", { name: /Завдання, триває: 1/ }).click();
await until(async () => (await page.locator("#tray-jobs").textContent()).includes("%"), "no progress");
await picture(page, "jobs");
await page.getByRole("button", { name: "Скасувати: Імпорт камер" }).click();
await until(async () => (await page.locator("[aria-live=polite]").allTextContents()).join().includes("Імпорт камер: скасовано"), "the end of the job was not said");
await flip(page);
await page.locator("[aria-controls=tray-jobs]").click();
await picture(page, "jobs-en-light");
await browser.close();
over(faults);
