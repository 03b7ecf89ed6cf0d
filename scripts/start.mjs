// `npm start`: the lab; `npm start -- COMMAND …`: any command. One process from the set-up to the end: with a shell
// in between, SIGTERM to npm would end the shell and leave the lab behind.
import "./setup.mjs";

if (process.argv.length === 2) process.argv.push("lab");
await import("../dist/src/apps/cli.js");
