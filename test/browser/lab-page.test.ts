/** The lab's page as a newcomer meets it, in Chromium, with real servers and phones behind it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  type Browser,
  bundlePage,
  openBrowser,
  type ServedLab,
  serveLab,
} from "../support/browser.ts";
import { needs } from "../support/peers.ts";

/** Apart from the blocks of every other test that starts a lab. */
const BLOCK = 20 + (process.pid % 15);

test(
  "kill the primary during a call, see the phone move, read why, bring it back, see it return, keep the picture",
  needs("chromium"),
  async (t) => {
    bundlePage();
    const lab: ServedLab = await serveLab(BLOCK);
    t.after(() => lab.close());
    const browser: Browser = await openBrowser();
    t.after(() => browser.close());
    const { page, complaints } = browser;
    await page.goto(`${lab.address}#${lab.token}`);
    const map = page.getByRole("img", { name: /^Topology:/ });
    const stands = (words: RegExp): Promise<void> =>
      page.getByRole("img", { name: words }).waitFor({ state: "visible" });
    await stands(/alice at primary, bob at primary, carol at primary/);

    await page.getByRole("button", { name: "Call", exact: true }).click();
    await page.getByText("in a call").first().waitFor();
    await page.getByRole("button", { name: "Kill primary" }).click();
    await page.getByRole("article", { name: "primary, down" }).waitFor();
    await stands(/bob at secondary/);

    await page.getByRole("tab", { name: "Decisions" }).click();
    await page.getByText("bob suspects primary").first().waitFor();
    await page.getByText("bob sends its REGISTER to secondary instead of primary").click();
    const details = page.getByRole("complementary", { name: "The chosen row" });
    await details.getByText(/^Why: the port is closed/).waitFor();
    await page.getByText("in a call").first().waitFor();
    await page.getByRole("button", { name: "Hang up" }).click();

    await page.getByRole("button", { name: "Revive primary" }).click();
    await stands(/bob at primary/);
    await page
      .getByText(/^bob comes home/)
      .first()
      .click();
    await details.getByText(/^Because of failbackSeconds=/).waitFor();

    await page.getByRole("tab", { name: "Ladder" }).click();
    await page.keyboard.press("e");
    const [saved] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "SVG" }).click(),
    ]);
    const svg = readFileSync(await saved.path(), "utf8");
    assert.match(
      svg,
      /^<svg [\s\S]*>INVITE<[\s\S]*>killed<[\s\S]*fails over: refused[\s\S]*<\/svg>\s*$/,
    );
    assert.equal(await map.count(), 1);
    assert.deepEqual(complaints, []);
  },
);
