// The redaction editor by mouse and keys: a cover drawn, drawn out by its handle, sized and moved by keys, sound taken out
// from one picture to another, the first pass. told.redaction names it.
import { expect, until } from "./drive.mjs";
import { as, flip, over, picture, told } from "./screens.mjs";

const { browser, page, faults } = await as("investigator");
const step = (text) => console.log(`ok ${text}`);
await page.goto(`${told.address}/redactions/${told.redaction}`);
await page.waitForSelector("form input[minlength]");
await page.fill("form input[minlength]", "закрити обличчя свідків");
await page.click("form button.main");
await page.waitForSelector("canvas");
const painted = () => page.$eval("canvas", (canvas) => canvas.getContext("2d").getImageData(20, 20, 1, 1).data[3] > 0);
await until(painted, "no picture is shown");

const saved = () => page.waitForResponse((answer) => answer.url().includes("/covers") && answer.request().method() !== "GET" && answer.ok());
const place = async (x, y) => {
  const box = await page.locator("canvas").boundingBox();
  return [box.x + (x / 640) * box.width, box.y + (y / 360) * box.height];
};
const drag = async (from, to) => {
  await page.mouse.move(...(await place(...from)));
  await page.mouse.down();
  await page.mouse.move(...(await place(...to)), { steps: 4 });
  const done = saved();
  await page.mouse.up();
  await done;
};
await drag([80, 60], [240, 160]);
expect(await page.locator("aside li").count() >= 1, "the cover is not in the list");
step("a cover is drawn");
await drag([240, 110], [300, 110]);
step("its handle draws it out");
let done = saved();
await page.keyboard.press("Alt+Shift+ArrowRight");
await done;
step("keys size it");

const box = page.locator("aside input[type=checkbox]");
await box.uncheck();
await page.waitForSelector(".sound button:nth-child(2)");
await page.locator("canvas").hover();
await page.keyboard.press("m");
for (let n = 0; n < 10; n += 1) await page.keyboard.press("ArrowRight");
const how = page.waitForResponse((answer) => answer.request().method() === "PUT" && answer.ok());
await page.keyboard.press("m");
await how;
await page.waitForSelector("svg.quiet rect:nth-child(2)");
step("a stretch goes without sound");
await picture(page, "redaction");
await flip(page);
await page.waitForTimeout(300);
await picture(page, "redaction-en");
await flip(page);

await page.getByRole("button", { name: "Усе закрито: на другий перегляд" }).click();
await page.getByText("чекає на другий перегляд").waitFor();
step("the first pass is done");
await browser.close();
over(faults);
