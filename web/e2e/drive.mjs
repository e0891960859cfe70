// What the browser tests share: Debian's Chromium, a signed-in page, a chosen purpose.
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
const QUIET = [
  "--no-sandbox", "--headless=new", "--disable-gpu", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-quic", "--autoplay-policy=no-user-gesture-required",
];

export async function open({ address, width = 1440, height = 900, language = "uk", theme = "dark" }) {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: QUIET });
  const context = await browser.newContext({
    viewport: { width, height }, locale: "uk-UA", timezoneId: "Europe/Kyiv", acceptDownloads: true,
  });
  await context.addInitScript(([l, t]) => { localStorage.setItem("language", l); localStorage.setItem("theme", t); }, [language, theme]);
  const page = await context.newPage();
  const faults = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => {
    const text = message.text();
    if (message.type() === "error" && !/status of (401|404|403)/.test(text)) faults.push(text);
  });
  await page.goto(address);
  await page.waitForSelector("form");
  return { browser, page, faults };
}

export async function signIn(page, login, password) {
  await page.fill("input[autocomplete=username]", login);
  await page.fill("input[type=password]", password);
  await page.click("form button.main");
  await page.waitForSelector("nav");
}

export async function choosePurpose(page, reason) {
  await page.click(".bar button.main");
  await page.waitForSelector("dialog input[type=radio]");
  await page.fill("dialog input[minlength]", reason);
  await page.click("dialog button.main");
  await page.waitForSelector(".bar .chip");
}

export function expect(true_, says) {
  if (!true_) throw new Error(says);
}

export async function until(ask, says, waitMs = 30_000) {
  const end = Date.now() + waitMs;
  while (Date.now() < end) {
    if (await ask()) return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error(says);
}
