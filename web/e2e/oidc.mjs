// Goes away to a provider and comes back signed in; comes back refused; comes back with any refusal in words.
import { expect } from "./drive.mjs";
import { as, over, picture, told } from "./screens.mjs";

const { browser, page, faults } = await as(null);
const away = page.getByRole("link", { name: "Увійти через службовий вхід організації" });
async function through(name) {
  await away.click();
  await page.waitForSelector("input[name=sub]");
  await page.fill("input[name=sub]", name);
  await page.locator("form button, form input[type=submit]").first().click();
  await page.waitForURL(`${told.address}/**`);
}

await through("petro");
await page.getByRole("alert").waitFor();
expect((await page.getByRole("alert").textContent()).includes("жодної ролі"), "no word of why petro is refused");
expect(!page.url().includes("sign_in"), "the refusal stays in the address");
await picture(page, "oidc");
for (const code of ["oidc-refused", "oidc-state", "oidc-issuer", "oidc-unavailable", "no-role", "account-disabled", "login-taken", "login-form", "roles-apart", "busy", "database-unavailable"]) {
  await page.goto(`${told.address}/?sign_in=${code}`);
  const text = await page.getByRole("alert").textContent();
  expect(/[а-яїієґ]{4}/i.test(text), `${code} has no words: ${text}`);
}
await through("olena");
await page.waitForSelector("nav");
expect((await page.locator(".who strong").textContent()) === "Name of olena", "somebody else was signed in");
await browser.close();
over(faults.filter((one) => !one.includes("ERR_NAME_NOT_RESOLVED"))); // the mock provider's own page wants a style sheet
