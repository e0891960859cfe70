// Playback against footage that says in each picture which one it is: what is shown is read off the screen and compared
// with what the page says. told.a and told.b are channels with their stretches; told.sound the instant of a gap.
import { choosePurpose, expect, until } from "./drive.mjs";
import { as, over, told } from "./screens.mjs";

const { a, b } = told;
const { browser, page, faults } = await as("investigator");
const step = (text) => console.log(`ok ${text}`);
await page.goto(`${told.address}/live`);
await choosePurpose(page, "перевірка відтворення");

/** What a camera's picture shows: the instant that its number means, and the instant that the page tells. */
async function read(one) {
  return page.evaluate(([channel, fps, begin]) => {
    const video = document.querySelector(`figure[data-channel="${channel}"] video`);
    const canvas = new OffscreenCanvas(16, 1);
    const on = canvas.getContext("2d");
    if (!video || video.readyState < 2) return null;
    on.drawImage(video, 0, 0, 16, 1);
    const { data } = on.getImageData(0, 0, 16, 1);
    let number = 0;
    for (let place = 0; place < 16; place += 1) number = number * 2 + (data[place * 4] > 120 ? 1 : 0);
    return { number, pictured: begin + (number * 1000) / fps, says: Number(document.querySelector(".when").dataset.at), shown: video.closest("figure").dataset.shown };
  }, [one.channel, one.fps, one.stretches[0][0]]);
}
const goTo = (at, cameras = a.camera) => page.goto(`${told.address}/playback?camera=${cameras}&at=${new Date(at).toISOString()}`);
const pressed = async (key) => { await page.keyboard.press(key); await page.waitForTimeout(60); };
const begin = a.stretches[0][0];
const A_PICTURE = 1000 / a.fps;
/** The page stands, and what it says is in the picture that is shown. */
const agrees = async (one) => {
  const now = await read(one);
  return now !== null && now.shown === "shown" && now.says - now.pictured > -1 && now.says - now.pictured < 1000 / one.fps + 1;
};
const jump = async (at) => {
  await page.$eval("input[type=datetime-local]", (field, value) => {
    field.value = value;
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }, new Date(at + 3 * 3_600_000 - (told.winter ? 3_600_000 : 0)).toISOString().slice(0, 19));
};

// a picture at a time
await goTo(begin + 10_000);
await until(() => agrees(a), "nothing is shown at the beginning");
await pressed(" ");
await until(() => agrees(a), "a standing picture is not the one that the page tells");
let last = await read(a);
for (const [key, by, times] of [[".", 1, 12], [",", -1, 24]]) {
  for (let n = 0; n < times; n += 1) {
    await page.keyboard.press(key);
    await until(async () => (await read(a))?.number === last.number + by, `${key} went from ${last.number} to ${(await read(a))?.number}`, 8000);
    last = await read(a);
    expect(await agrees(a), `after ${key} the page tells ${last.says - last.pictured} ms beside the picture`);
  }
}
step("each step is one picture, both ways, across groups, and the time told is that picture's");

// while it runs
await pressed(" ");
for (const [rate, most] of [["1", 3], ["4", 6], ["0.25", 3]]) {
  await page.selectOption(".controls select", { label: `${rate}×` });
  await page.waitForTimeout(700);
  const seen = [];
  for (let n = 0; n < 12; n += 1) { seen.push(await read(a)); await page.waitForTimeout(60); }
  const off = seen.map((one) => Math.abs(one.says - one.pictured) / A_PICTURE).sort((x, y) => x - y);
  expect(off[8] <= most, `at ${rate}× the page is ${off.map((one) => one.toFixed(1))} pictures beside what is shown`);
  expect(seen[11].number > seen[0].number, `at ${rate}× the picture stands still`);
}
await page.selectOption(".controls select", { label: "1×" });
step("the time told is the picture's at every speed");

// away and back, many times
for (let n = 0; n < 4; n += 1) {
  for (const at of [begin + 15_000 + n * 1000, a.stretches[1][0] + 20_000]) {
    await jump(at);
    await until(async () => { const now = await read(a); return now?.shown === "shown" && now.says >= at - 1000 && now.says < at + 15_000 && Math.abs(now.says - now.pictured) < 200; }, `stuck after a jump to ${new Date(at).toISOString()}`);
  }
}
step("jumping away and back never sticks");

// a gap is skipped forwards, and a jump back is never undone
await jump(a.stretches[0][1] - 3000);
await until(async () => Number(await page.$eval(".when", (e) => e.dataset.at)) > a.stretches[1][0], "the gap is not skipped");
for (let n = 0; n < 3; n += 1) {
  await jump(begin + 5000 + n * 2000);
  await page.waitForTimeout(700);
  const { says } = await read(a) ?? { says: Number(await page.$eval(".when", (e) => e.dataset.at)) };
  expect(says < begin + 30_000, "a jump back was undone");
}
step("gaps are skipped, jumps back stay");

// two cameras in step
await goTo(b.stretches[0][0] + 20_000, `${a.camera},${b.camera}`);
const both = async () => [await read(a), await read(b)];
await until(async () => (await both()).every((one) => one?.shown === "shown"), "two cameras do not both show");
await page.waitForTimeout(2500);
const apart = [];
for (let n = 0; n < 15; n += 1) { const [x, y] = await both(); apart.push(Math.abs(x.pictured - y.pictured)); await page.waitForTimeout(80); }
apart.sort((x, y) => x - y);
expect(apart[11] <= 1000 / b.fps + 2 * A_PICTURE, `two cameras are ${apart.map(Math.round)} ms apart`);
await pressed(" ");
await until(async () => (await agrees(a)) && (await agrees(b)), "two standing cameras do not show the instant told");
step(`two cameras run within a picture of each other (${Math.round(apart[7])} ms) and stand on the same instant`);

// scrubbing: the picture follows the pointer, a small picture shows the way
const bar = await page.locator("canvas").boundingBox();
await page.mouse.move(bar.x + bar.width * 0.5, bar.y + bar.height - 10);
const before = await read(a);
await page.mouse.down();
await page.mouse.move(bar.x + bar.width * 0.52, bar.y + bar.height - 10, { steps: 8 });
await page.waitForSelector(".preview");
const during = Number(await page.$eval(".when", (e) => e.dataset.at));
await page.mouse.up();
expect(Math.abs(during - before.says) > 10_000, "dragging does not move the instant");
step("dragging scrubs, with a small picture");

// a decoder that breaks is not taken for one that plays
await page.route(`**/api/channels/${a.channel}/playback/*/media*`, async (route) => {
  const answer = await route.fetch();
  const body = await answer.body();
  const spoiled = Buffer.from(body);
  let at = 0;
  while (at + 8 <= spoiled.length) {
    const size = spoiled.readUInt32BE(at);
    if (spoiled.toString("latin1", at + 4, at + 8) === "mdat") spoiled.fill(0xa5, at + 8, at + size);
    at += size;
  }
  await route.fulfill({ response: answer, body: spoiled });
});
await goTo(begin + 12_000);
await until(async () => ["broken", "stalled"].includes(await page.$eval("figure[data-shown]", (e) => e.dataset.shown).catch(() => "")), "broken footage is not named");
expect((await page.textContent("figure .over")).trim().length > 10, "nothing is said of broken footage");
step("footage that cannot be decoded is named");
await browser.close();
over(faults);
