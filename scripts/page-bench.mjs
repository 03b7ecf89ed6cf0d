// Measures the page in Chromium: how long a recorded trace of 100,000 events of 50 phones takes to open, how many
// frames a second it is scrolled at, and how much faster than real time the playground runs (docs/bench.md).
// `node scripts/page-bench.mjs [RUNS] [--events N] [--keep FILE]`: a kept trace is used again.
import { createWriteStream, existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";

const root = join(fileURLToPath(new URL(".", import.meta.url)), "..");
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { events: { type: "string", default: "100000" }, keep: { type: "string" } },
});
const runs = Number(positionals[0] ?? 3);
const events = Number(values.events);
const PHONES = 50;
const SCROLL_MS = 5_000;
const PATIENCE_MS = 300_000;
const built = (path) => import(pathToFileURL(join(root, "dist", "src", path)).href);

/** The lab's topology with 50 phones, a call now and then, and a server that dies and returns, for as long as it takes. */
async function record(file) {
  const { loadLab } = await built("apps/lab/catalogue.js");
  const { crowd } = await built("apps/lab/crowd.js");
  const { playOpen, disturb } = await built("apps/scenario/play.js");
  const { SimStage } = await built("apps/sim/stage.js");
  const stage = new SimStage({ seed: 1 });
  const scenario = crowd(loadLab().scenarios[0], PHONES);
  await playOpen(scenario, stage);
  const phones = scenario.topology.phones.map(({ name }) => name);
  for (let round = 0; stage.records.length < events; round += 1) {
    const [from, to] = [phones[round % PHONES], phones[(round + 7) % PHONES]];
    if (round % 40 === 10) await disturb(stage, "primary", { kind: "kill" });
    if (round % 40 === 30) await disturb(stage, "primary", { kind: "revive" });
    await stage.commandPhone(from, { kind: "call", to });
    const until = stage.now() + 2_000;
    while (stage.now() < until) await stage.pass(until);
    await stage.commandPhone(from, { kind: "hangup" });
  }
  const out = createWriteStream(file);
  for (const one of stage.records.slice(0, events)) out.write(`${JSON.stringify(one)}\n`);
  await new Promise((done) => out.end(done));
}

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"];
const QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync"];

async function inBrowser(measure) {
  const folder = mkdtempSync(join(tmpdir(), "dialtone-page-bench-"));
  const context = await chromium.launchPersistentContext(folder, {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    offline: true,
    viewport: { width: 1440, height: 900 },
    args: [...FLAGS, ...QUIET],
  });
  try {
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    await page.goto(pathToFileURL(join(root, "dist", "page", "index.html")).href);
    return await measure(page);
  } finally {
    await context.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Seconds of CPU that the page's process has used, all its threads. */
async function processSeconds(session) {
  const { metrics } = await session.send("Performance.getMetrics");
  return metrics.find(({ name }) => name === "ProcessTime").value;
}

/** From the moment the file is chosen until two frames after its rows are there. */
async function opened(page, file) {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  await page.getByRole("img", { name: /alice at primary/ }).waitFor();
  await page.getByRole("button", { name: "Pause" }).click();
  const before = await processSeconds(session);
  await page.locator("#open-file").setInputFiles(file);
  await page.waitForFunction(() => performance.getEntriesByName("dialtone-shown").length > 0);
  const openCpuMs = Math.round(((await processSeconds(session)) - before) * 1000);
  const shown = () => performance.getEntriesByName("dialtone-shown")[0].duration;
  return { openMs: Math.round(await page.evaluate(shown)), openCpuMs };
}

async function scrolled(page) {
  return await page.evaluate(async (lasts) => {
    const list = document.querySelector(".ladder-scroll");
    const frame = () => new Promise((done) => requestAnimationFrame(done));
    const step = (list.scrollHeight - list.clientHeight) / (lasts / 16);
    list.scrollTop = 0;
    const times = [await frame()];
    while (times.at(-1) - times[0] < lasts) {
      list.scrollTop += step;
      times.push(await frame());
    }
    const gaps = times.slice(1).map((time, index) => time - times[index]);
    gaps.sort((a, b) => a - b);
    const worst = gaps[Math.floor(gaps.length * 0.95)];
    return { rate: (1000 * gaps.length) / (times.at(-1) - times[0]), slowFrame: worst };
  }, SCROLL_MS);
}

async function simulated(page) {
  await page.getByLabel("Speed").selectOption("0");
  await page.getByLabel("What is played").selectOption("both-levels.yaml");
  let best = 0;
  for (let turn = 0; turn < 8; turn += 1) {
    const words = page.getByText(/(\d+) times real time/);
    await words.waitFor();
    best = Math.max(best, Number(/(\d+) times/.exec(await words.textContent())?.[1]));
    await page.getByRole("button", { name: "Again" }).click();
  }
  return best;
}

const folder = mkdtempSync(join(tmpdir(), "dialtone-trace-"));
const file = values.keep ?? join(folder, "trace.jsonl");
try {
  if (!existsSync(file)) await record(file);
  console.log(`${events} events, ${(statSync(file).size / 1e6).toFixed(0)} MB`);
  for (let run = 0; run < runs; run += 1) {
    const { openMs, openCpuMs, rate, slowFrame } = await inBrowser(async (page) => ({
      ...(await opened(page, file)),
      ...(await scrolled(page)),
    }));
    const speed = await inBrowser(simulated);
    const told = { event: "page.measured", events, openMs, openCpuMs };
    const frames = { framesPerSecond: Math.round(rate), slowestOfTwentyMs: Math.round(slowFrame) };
    console.log(JSON.stringify({ ...told, ...frames, playgroundSpeed: speed }));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
