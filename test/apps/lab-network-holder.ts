/** A process with a network of the lab, to be killed: says the id of the process that holds it, and waits. */
import { Cell } from "../../src/apps/lab/network/cell.ts";

const cell = await Cell.open(process.argv[2] ?? "", () => undefined);
process.stdout.write(`${cell.pid}\n`);
