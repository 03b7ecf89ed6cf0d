// Bundles the pages into dist/page. Of src/apps/dashboard/web: one script, one style sheet and two documents, `lab.html` for
// the lab's server and `index.html`, the playground, which any web server can host and which opens from a file. Of
// src/apps/handset/web: the phone's own page.
// `--if-older` does nothing when the bundle is newer than what it is made of; `--tell` says where it stands.
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(fileURLToPath(new URL(".", import.meta.url)), "..");
const emitted = join(root, "dist", "src");
const sources = join(root, "src", "apps", "dashboard", "web");
const handset = join(root, "src", "apps", "handset", "web");
const out = join(root, "dist", "page");
const SCENARIOS = '["%SCENARIOS%"]';

function newest(folder, pattern) {
  const files = readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => pattern.test(name));
  return Math.max(0, ...files.map((name) => statSync(join(folder, name)).mtimeMs));
}

function isFresh() {
  const made = join(out, "index.html");
  if (!existsSync(made)) return false;
  const inputs = [
    newest(emitted, /\.js$/),
    newest(sources, /\.(css|html)$/),
    newest(handset, /\.(css|html)$/),
    newest(join(root, "scenarios"), /\.yaml$/),
    statSync(fileURLToPath(import.meta.url)).mtimeMs,
  ];
  return statSync(made).mtimeMs > Math.max(...inputs);
}

/** One file as a script that needs no other; the worker's text is put into the page's, so that a file:// page has it too. */
async function bundled(entry, define = {}, app = "dashboard") {
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    entryPoints: [join(emitted, "apps", app, "web", entry)],
    bundle: true,
    write: false,
    minify: true,
    format: "iife",
    platform: "browser",
    target: "es2022",
    legalComments: "eof",
    define,
    logLevel: "warning",
  });
  return outputFiles[0].text;
}

/** Written beside and moved, so that whoever reads meanwhile reads a whole file. */
function put(name, text) {
  const beside = join(out, `.${name}.${process.pid}`);
  writeFileSync(beside, text);
  renameSync(beside, join(out, name));
}

/** The project's own scenarios that the simulator can play, as text: the playground reads them as the lab does. */
async function scenarioTexts() {
  const { readScenario } = await import(join(emitted, "apps", "scenario", "read-scenario.js"));
  const { lacksInSimulator } = await import(join(emitted, "apps", "scenario", "left-out.js"));
  const folder = join(root, "scenarios");
  const isVirtual = ([name, text]) =>
    lacksInSimulator(readScenario(name, text).scenario) === undefined;
  const names = readdirSync(folder).filter((name) => name.endsWith(".yaml"));
  const all = names.sort().map((name) => [name, readFileSync(join(folder, name), "utf8")]);
  const texts = all.filter(isVirtual);
  return [["lab.yaml", readFileSync(join(folder, "lab", "lab.yaml"), "utf8")], ...texts];
}

async function make() {
  mkdirSync(out, { recursive: true });
  const worker = await bundled("simulator.js");
  const page = await bundled("main.js", { WORKER_TEXT: JSON.stringify(worker) });
  const document = readFileSync(join(sources, "page.html"), "utf8");
  const data = JSON.stringify(await scenarioTexts()).replaceAll("<", "\\u003c");
  put("page.js", page);
  put("page.css", readFileSync(join(sources, "page.css"), "utf8"));
  put("lab.html", document.replace("%MODE%", "lab").replace(SCENARIOS, "[]"));
  put("handset.js", await bundled("main.js", {}, "handset"));
  for (const name of ["handset.html", "handset.css"]) put(name, readFileSync(join(handset, name)));
  put(
    "index.html",
    document.replace("%MODE%", "playground").replace(SCENARIOS, () => data),
  );
}

if (!process.argv.includes("--if-older") || !isFresh()) await make();
if (process.argv.includes("--tell")) console.log(`the playground: ${join(out, "index.html")}`);
