// A stranger opens verify.html from disk, offline, and drops bundles on it: what it says of each, and whether clips play.
// Argument: {"page": file or address, "cases": [{"bundle": folder or zip, "trust": file or null, "language", "shot"}]}; with
// "again" true, all cases are dropped one after the other on the page of the first, and their clips are not played.
import { existsSync, statSync } from "node:fs";
import { chromium } from "playwright-core";

const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
const asked = JSON.parse(process.argv[2]);
const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox", "--headless=new", "--disable-gpu"] });
const told = [];
const offline = !asked.page.startsWith("http");
let seen = null;

async function open(one) {
  const [width, height] = one.size ?? [1440, 900];
  const context = await browser.newContext({ viewport: { width, height }, locale: one.language === "en" ? "en-GB" : "uk-UA" });
  if (offline) await context.setOffline(true);
  const page = await context.newPage();
  const faults = [];
  const sent = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => message.type() === "error" && !/status of 401/.test(message.text()) && faults.push(message.text()));
  await page.goto(offline ? `file://${asked.page}` : asked.page);
  await page.waitForSelector(".verifier");
  page.on("request", (request) => !/^(blob|data):/.test(request.url()) && sent.push(request.url()));
  return { context, page, faults, sent };
}

for (const one of asked.cases) {
  if (seen && asked.again) await seen.page.click(".verdict button");
  else seen = await open(one);
  const { context, page, faults, sent } = seen;
  if (one.before) await page.screenshot({ path: one.before });
  const kind = statSync(one.bundle).isDirectory() ? "folder" : "zip";
  const began = Date.now();
  await page.setInputFiles(`input[data-kind=${kind}]`, one.bundle);
  const judged = ".verifier[aria-busy=false] [data-verdict]";
  await page.waitForSelector(judged, { timeout: 600_000 });
  const seconds = (Date.now() - began) / 1000;
  if (one.trust) {
    await page.setInputFiles("input[data-kind=trust]", one.trust);
    await page.waitForSelector(judged, { timeout: 600_000 });
  }
  let played = null;
  if (!asked.again && (await page.locator("video").count())) {
    played = await page.locator("video").first().evaluate(async (video) => {
      video.muted = true;
      await video.play();
      await new Promise((done, fail) => {
        video.ontimeupdate = () => video.currentTime > 0.5 && done();
        setTimeout(() => fail(new Error("it does not play")), 20_000);
      });
      video.pause();
      return [video.videoWidth, video.videoHeight, Math.round(video.duration * 10) / 10];
    }).catch((error) => String(error));
  }
  if (one.shot) await page.screenshot({ path: one.shot, fullPage: true });
  const text = await page.locator(".verifier").innerText();
  const verdict = await page.getAttribute("[data-verdict]", "data-verdict");
  const codes = await page.locator(".faults code").allInnerTexts();
  told.push({ verdict, codes, played, text, faults, sent, seconds });
  if (!asked.again) await context.close();
}
await browser.close();
console.log(JSON.stringify(told));
