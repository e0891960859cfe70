// Live tiles and the purpose: what is open begins anew under another purpose, and ends when its reference is closed;
// H.265 falls back to H.264 or says why not; a decoder that stands still is not shown as live.
import { choosePurpose, expect, open, until } from "./drive.mjs";
import { as, enter, over, told } from "./screens.mjs";

const { browser, page, faults } = await as("investigator");
const step = (text) => console.log(`ok ${text}`);
const sockets = [];
page.on("websocket", (socket) => {
  if (socket.url().includes("/live?")) sockets.push({ url: socket.url(), open: true });
  const one = sockets.at(-1);
  if (one && socket.url() === one.url) socket.on("close", () => { one.open = false; });
});
await page.goto(`${told.address}/live`);
await choosePurpose(page, "перша мета");
await page.keyboard.press("4"); // four large pictures: the main streams are asked for
const tile = (channel) => page.locator(`figure[data-channel="${channel}"]`);
const phase = (channel) => tile(channel).getAttribute("data-phase");
const time = (channel) => tile(channel).locator("video").evaluate((video) => video.currentTime);

expect(!(await page.evaluate(() => MediaSource.isTypeSupported('video/mp4; codecs="hvc1.1.6.L120.90"'))), "this browser plays H.265: the walk proves nothing");
await until(async () => (await phase(told.h264)) === "playing", "the H.264 camera does not play");
await until(async () => (await phase(told.both)) === "playing", "the H.265 camera does not fall back to its sub-stream");
expect((await tile(told.both).locator("figcaption").textContent()).includes("H.264"), "it is not said that the sub-stream stands in");
await until(async () => (await tile(told.h265).locator(".over").textContent().catch(() => "")).includes("H.265"), "it is not said why there is no picture");
step("H.265 falls back to H.264, or says why not");

const first = await tile(told.h264).getAttribute("data-leave");
await page.click(".bar button.quiet");
await page.waitForSelector("dialog input[type=radio]");
await page.locator("dialog label.one", { hasText: "18" }).click();
await page.fill("dialog input[minlength]", "друга мета");
await page.click("dialog button.main");
await until(async () => (await tile(told.h264).getAttribute("data-leave")) !== first, "the tile kept the old purpose");
await until(async () => (await phase(told.h264)) === "playing", "the tile did not begin anew");
expect(sockets.filter((one) => one.url.includes(first) && one.open).length === 0, "a picture still comes under the old purpose");
step("open tiles begin anew under another purpose");

await page.evaluate(() => {
  const add = SourceBuffer.prototype.appendBuffer; // from now on what comes is taken in and lost, as by a decoder that hangs
  SourceBuffer.prototype.appendBuffer = function (data) { if (window.hung) this.dispatchEvent(new Event("updateend")); else add.call(this, data); };
});
await page.evaluate(() => { window.hung = true; });
await until(async () => {
  const said = `${await tile(told.h264).getAttribute("class")} ${await phase(told.h264)}`;
  return said.includes("stale") || said.includes("problem");
}, "a picture that stands still is shown as live", 15_000);
await page.evaluate(() => { window.hung = false; });
await until(async () => (await phase(told.h264)) === "playing", "it did not begin anew after the decoder stood still");
const then = await time(told.h264);
await until(async () => (await time(told.h264)) > then, "it plays only in name");
step("a decoder that stands still is said and begun anew");

const boss = await open({ address: told.address });
await enter(boss.page, "supervisor");
await boss.page.goto(`${told.address}/settings`);
await boss.page.locator("tr", { hasText: "18" }).getByRole("button", { name: "Закрити" }).click();
const confirm = boss.page.locator("dialog button.main");
if (await confirm.count()) await confirm.click();
await until(async () => (await page.locator("video").count()) === 0, "footage is shown on after its reference was closed", 20_000);
await until(async () => (await page.locator(".bar [role=alert]").textContent().catch(() => "")).includes("Мета скінчилася"), "it is not said that the purpose is over");
await until(() => Promise.resolve(sockets.every((one) => !one.open)), "a live picture still comes");
step("a closed reference ends what is open, and says so");
await boss.browser.close();
await browser.close();
// A tile that was just beginning anew when the reference closed is refused at the door, which is as it should be.
const refused = /handshake: Unexpected response code: 403/;
over(faults.filter((one) => !refused.test(one)).concat(boss.faults));
