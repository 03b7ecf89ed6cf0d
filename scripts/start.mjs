// `npm start`: the lab; `npm start -- COMMAND …`: any command.
import "./setup.mjs";

if (process.argv.length === 2) process.argv.push("lab");
await import("../dist/src/apps/cli.js");
