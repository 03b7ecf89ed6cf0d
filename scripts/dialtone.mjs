#!/usr/bin/env node
// The command as npm and npx link it: it is there before anything is built.
import { existsSync } from "node:fs";

const program = new URL("../dist/src/apps/cli.js", import.meta.url);
if (process.env.npm_command === "exec") await import("./parent.mjs");
if (existsSync(program)) await import(program.href);
else {
  console.error("Dialtone is not built yet; `npm start` builds it and runs the lab");
  process.exitCode = 3;
}
