// Reads the number off a live picture, many times: node glass_to_glass.mjs '{"address": …, "samples": …, "hls": …}'
import { choosePurpose, open, signIn, until } from "../web/e2e/drive.mjs";

const { address, password, samples, cell, bits, hls } = JSON.parse(process.argv[2]);
const { browser, page } = await open({ address });
if (hls) await page.goto(hls);
else {
  await signIn(page, "operator", password);
  await page.goto(`${address}/live`);
  await choosePurpose(page, "benchmark");
}
await until(
  () => page.$$eval("video", (all) => all.some((v) => v.videoWidth > 0 && v.currentTime > 2)),
  "no live picture moves", 90_000,
);
await page.waitForTimeout(5000); // let it settle at the live edge
const seen = await page.evaluate(async ([samples, cell, bits]) => {
  const count = bits + 3;
  const canvas = document.createElement("canvas");
  canvas.width = count * 8;
  canvas.height = 8;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const video = [...document.querySelectorAll("video")].find((v) => v.videoWidth > 0);
  const seen = [];
  for (let look = 0; look < samples * 2 && seen.length < samples; look += 1) {
    await new Promise((resolve) => setTimeout(resolve, 50 + Math.random() * 100));
    context.drawImage(video, 0, 0, count * cell, cell, 0, 0, canvas.width, canvas.height);
    const at = performance.timeOrigin + performance.now();
    const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
    const lit = Array.from({ length: count }, (_, n) => (pixels[(4 * canvas.width + n * 8 + 4) * 4] > 128 ? 1 : 0));
    const read = lit.slice(2, 2 + bits);
    const odd = read.reduce((sum, bit) => sum ^ bit, 0);
    if (lit[0] === 1 && lit[1] === 0 && odd === lit[count - 1]) {
      seen.push([at, read.reduce((sum, bit, place) => sum + bit * 2 ** place, 0)]);
    }
  }
  return seen;
}, [samples, cell, bits]);
await browser.close();
if (seen.length < samples) throw new Error(`only ${seen.length} of ${samples} looks read a number`);
console.log(JSON.stringify(seen));
