// The volumes, their retirement with its warning, what will be disposed of and what was; a supervisor changes nothing.
import { expect } from "./drive.mjs";
import { as, flip, over, picture, told } from "./screens.mjs";

const { browser, page, faults } = await as("administrator");
await page.click("nav a[href='/storage']:visible");
await page.getByText("лише читання: немає в налаштуваннях").waitFor();
expect((await page.getByRole("button", { name: "Використовувати: /disks/old" }).count()) === 1, "a dropped volume cannot be kept");

await page.getByRole("button", { name: "Квота: /disks/new" }).click();
await page.fill("dialog input", "0,5");
await page.click("dialog button.main");
await page.getByText("Квоту змінено").waitFor();
await page.getByText("512 MiB").waitFor();

await page.getByRole("button", { name: "Вивести: /disks/new" }).click();
expect((await page.locator("dialog").textContent()).includes("запис зупиниться"), "no warning for the last volume");
await picture(page, "retire");
await page.locator("dialog").getByRole("button", { name: "Скасувати" }).click();
await page.getByRole("button", { name: "Вивести: /disks/old" }).click();
await page.click("dialog button.main");
await page.getByText("Том виведено").waitFor();

await page.getByRole("button", { name: "За 7 дн." }).click();
await page.getByText("Буде знищено: 2.0 MiB").waitFor();
await page.getByText("заборонено знищувати: 1.0 MiB").waitFor();
await page.getByText("справа 17").waitFor();
await page.getByText("Вокзал").first().waitFor();
await picture(page, "storage");
await flip(page);
await picture(page, "storage-en-light");
await page.getByRole("button", { name: "Sign out" }).click();
await page.waitForSelector("form");
await page.fill("input[autocomplete=username]", "supervisor");
await page.fill("input[type=password]", told.password);
await page.click("form button.main");
await page.waitForSelector("nav");
await page.click("nav a[href='/storage']:visible");
await page.getByText("/disks/new").waitFor();
expect((await page.getByRole("button", { name: /Retire/ }).count()) === 0, "a supervisor is offered to retire");
await browser.close();
over(faults);
