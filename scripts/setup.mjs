// Installs the packages and builds, each only when needed: so `npm start` and `npm test` are all a newcomer types.
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import "./parent.mjs";

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Node ${process.versions.node} is too old; Dialtone needs 20.19 or newer`);
  process.exit(3);
}

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const stamp = join(root, "node_modules", ".package-lock.json");
const lock = join(root, "package-lock.json");

function run(command, args) {
  const done = spawnSync(command, args, { cwd: root, stdio: ["ignore", 2, 2] });
  if (done.status !== 0) process.exit(done.status ?? 1);
}

const installed = existsSync(stamp) && statSync(stamp).mtimeMs >= statSync(lock).mtimeMs;
// Not `npm ci`: it refuses a lock that lacks optional packages of other platforms.
if (!installed) run("npm", ["install", "--no-save", "--no-audit", "--no-fund"]);
const tsc = createRequire(join(root, "package.json")).resolve("typescript/package.json");
run(process.execPath, [join(tsc, "..", "bin", "tsc"), "-b"]);
run(process.execPath, [join(root, "scripts", "page.mjs"), "--if-older"]);
