// What the walks through single screens share: what they are told, pictures of every width, language and theme.
import { join } from "node:path";
import { open } from "./drive.mjs";

export const told = JSON.parse(process.argv[2] ?? "{}");

/** Everything a walk says at its end; `faults` are what the console complained of. */
export function over(faults) {
  console.log(faults.length ? `complaints: ${faults.join("\n")}` : "no complaint in the console");
}

export async function as(login, more = {}) {
  const opened = await open({ address: told.address, ...more });
  if (login) await enter(opened.page, login);
  return opened;
}

export async function enter(page, login, password = told.password) {
  await page.fill("input[autocomplete=username]", login);
  await page.fill("input[type=password]", password);
  await page.click("form button.main");
  await page.waitForSelector("nav");
}

/** The picture of a page as a desk and as a telephone see it. */
export async function picture(page, name) {
  await page.screenshot({ path: join(told.out, `${name}-wide.png`) });
  await page.setViewportSize({ width: 390, height: 844 });
  await page.waitForTimeout(300);
  await page.screenshot({ path: join(told.out, `${name}-phone.png`) });
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (wider > 0) throw new Error(`${name}: ${wider} px wider than the telephone`);
  await page.setViewportSize({ width: 1440, height: 900 });
}

/** The other language and the other theme, by the same buttons a person uses. */
export async function flip(page) {
  await page.click("nav .foot button[lang]");
  await page.click("nav .foot button[aria-label]");
}
