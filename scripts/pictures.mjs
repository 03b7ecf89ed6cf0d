// Makes the pictures of docs/guides with the lab itself and Chromium: `npm run build && node scripts/pictures.mjs`.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { bundlePage, openBrowser, serveLab } from "../dist/test/support/browser.js";

const folder = join(import.meta.dirname, "..", "docs", "pictures");
const BLOCK = 58;

mkdirSync(folder, { recursive: true });
bundlePage();
const lab = await serveLab(BLOCK);
const browser = await openBrowser();
const { page } = browser;
const picture = (name) => page.screenshot({ path: join(folder, `${name}.png`) });
const stands = (words) => page.getByRole("img", { name: words }).waitFor();
const button = (name) => page.getByRole("button", { name, exact: true });
try {
  await page.setViewportSize({ width: 1600, height: 800 });
  await page.goto(`${lab.address}#${lab.token}`);
  await stands(/alice at primary, bob at primary, carol at primary/);
  await button("Call").click();
  await page.getByText("in a call").first().waitFor();
  await button("Kill primary").click();
  await stands(/bob at secondary/);
  await page.getByRole("tab", { name: "Decisions" }).click();
  await page.getByText("bob sends its REGISTER to secondary instead of primary").click();
  await picture("reason");
  await page.getByRole("tab", { name: "Ladder" }).click();
  await picture("killed");
  await button("Hang up").click();
  await button("Revive primary").click();
  await stands(/bob at primary/);
  await page.getByRole("tab", { name: "Decisions" }).click();
  await page
    .getByText(/^bob comes home/)
    .first()
    .click();
  await page.getByRole("tab", { name: "Ladder" }).click();
  await picture("home");
} finally {
  await browser.close();
  await lab.close();
}
