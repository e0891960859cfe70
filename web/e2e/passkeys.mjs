// Adds a passkey with Chromium's virtual authenticator, signs in with it, removes it, and is refused with it.
import { expect, until } from "./drive.mjs";
import { as, over, picture, told } from "./screens.mjs";

const { browser, page, faults } = await as("operator");
const client = await page.context().newCDPSession(page);
await client.send("WebAuthn.enable");
await client.send("WebAuthn.addVirtualAuthenticator", {
  options: {
    protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true,
    isUserVerified: true, automaticPresenceSimulation: true,
  },
});

await page.goto(`${told.address}/settings`);
await page.fill("input[maxlength='60']", "Робочий ноутбук");
await page.getByRole("button", { name: "Додати ключ доступу" }).click();
await page.getByText("Ключ доступу додано").waitFor();
await page.getByText("Робочий ноутбук").waitFor(); // the list names it
await picture(page, "passkeys");

await page.getByRole("button", { name: "Вийти" }).click();
await page.waitForSelector("form");
await picture(page, "sign-in");
await page.getByRole("button", { name: "Увійти ключем доступу" }).click();
await page.waitForSelector("nav");

await page.goto(`${told.address}/settings`);
await page.getByRole("button", { name: "Вилучити: Робочий ноутбук" }).click();
await page.locator("dialog").getByRole("button", { name: "Скасувати" }).click();
expect((await page.getByText("Робочий ноутбук").count()) === 1, "cancelling removed the passkey");
await page.getByRole("button", { name: "Вилучити: Робочий ноутбук" }).click();
await page.locator("dialog button.main").click();
await page.getByText("Ключ доступу вилучено").waitFor();
await page.getByRole("button", { name: "Вийти" }).click();
await page.getByRole("button", { name: "Увійти ключем доступу" }).click();
await until(async () => (await page.locator("[role=alert]").count()) === 1, "a removed passkey was not refused");
expect((await page.locator("[role=alert]").textContent()).includes("не підійшов"), "the refusal has no text");
await browser.close();
over(faults);
