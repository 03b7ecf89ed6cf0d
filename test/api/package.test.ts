/** What `npm pack` makes is what a program gets: the faces, their types, and no more libraries than it says. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { after, before, test } from "node:test";

const root = join(import.meta.dirname, "..", "..", "..");
const MODULES = join(root, "node_modules");

let folder: string;

/** An empty folder into which the packed package is installed, with the libraries that it names and no others. */
before(() => {
  folder = mkdtempSync(join(tmpdir(), "dialtone-package-"));
  const pack = ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder];
  const name = execFileSync("npm", pack, { cwd: root, encoding: "utf8" }).trim().split("\n").at(-1);
  execFileSync("tar", ["-xzf", join(folder, name as string)], { cwd: folder });
  mkdirSync(join(folder, "node_modules"));
  cpSync(join(folder, "package"), join(folder, "node_modules", "dialtone"), { recursive: true });
  const list = ["ls", "--omit=dev", "--all", "--parseable"];
  const libraries = execFileSync("npm", list, { cwd: root, encoding: "utf8" }).trim().split("\n");
  for (const path of libraries.filter((one) => one.startsWith(MODULES))) link(path);
  link(join(MODULES, "@types", "node"));
  link(join(MODULES, "undici-types"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module", "private": true }');
});

after(() => rmSync(folder, { recursive: true, force: true }));

function link(path: string): void {
  const place = join(folder, "node_modules", relative(MODULES, path));
  mkdirSync(dirname(place), { recursive: true });
  symlinkSync(path, place);
}

/** A test runner inside a test would report to the outer one. */
const { NODE_TEST_CONTEXT: _outer, ...env } = process.env;

const run = (program: string, args: readonly string[]): string =>
  execFileSync(program, args, { cwd: folder, encoding: "utf8", stdio: "pipe", env });

test("the guide's programs start in an empty folder with the package installed", () => {
  cpSync(join(root, "examples", "api"), folder, { recursive: true });
  assert.match(
    run(process.execPath, ["--test", "--test-reporter=tap", "pbx.test.mjs"]),
    /# pass 2/,
  );
  const program = [
    'import { SipServer, Phone } from "dialtone";',
    'const listen = "udp:127.0.0.1:0";',
    'const server = await new SipServer({ listen, domain: "example.com", open: true }).start();',
    "const servers = server.addresses[0];",
    'const phone = new Phone({ servers, user: "1", domain: "example.com", bind: "127.0.0.1" });',
    "await phone.start();",
    "console.log((await phone.registered({ signal: AbortSignal.timeout(10_000) })).expires);",
    "await phone.stop();",
    "await server.close();",
  ];
  writeFileSync(join(folder, "first.mjs"), program.join("\n"));
  assert.equal(run(process.execPath, ["first.mjs"]), "600\n");
});

test("the guide's snippets compile against the types of the package, strictly", () => {
  const guide = readFileSync(join(root, "docs", "api.md"), "utf8");
  const blocks = [...guide.matchAll(/```js\n([\s\S]*?)```/g)].map(([, text = ""]) => text);
  const snippets = blocks.filter((text) => !text.includes("import "));
  assert.equal(snippets.length, 3);
  const known = "phone: Phone";
  const bodies = snippets.map((text, at) => `export async function s${at}(${known}) {\n${text}}\n`);
  const head = [
    'import { Phone } from "dialtone";',
    'import { parseMessage, type Message } from "dialtone/core";',
    'import { Simulation } from "dialtone/sim";',
    "export const simulation = new Simulation({ seed: 1 });",
    "export const message: Message | { kind: 'malformed' } = parseMessage('');",
    "// @ts-expect-error: there is no such event",
    "export const wrong = (phone: Phone) => phone.on('registration.excepted', () => {});",
  ];
  writeFileSync(join(folder, "guide.ts"), `${head.join("\n")}\n${bodies.join("\n")}`);
  const options = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--types", "node"];
  const target = ["--target", "es2022", "--module", "nodenext", "--skipLibCheck", "false"];
  const tsc = join(MODULES, "typescript", "bin", "tsc");
  try {
    run(process.execPath, [tsc, ...options, ...target, "guide.ts"]);
  } catch (error) {
    assert.fail((error as { stdout: string }).stdout);
  }
});

test("nothing of the package can be imported but its faces", () => {
  const inner = "import('dialtone/dist/src/api/phone.js').catch((e) => console.log(e.code))";
  const said = run(process.execPath, ["--input-type=module", "-e", inner]);
  assert.equal(said.trim(), "ERR_PACKAGE_PATH_NOT_EXPORTED");
});
