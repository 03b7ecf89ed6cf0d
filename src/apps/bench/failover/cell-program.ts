/**
 * Plays one cell in the network it finds itself in. Arguments: the cell as JSON, its folder, the prefix of its
 * addresses, whether it is alone there.
 */
import { Crew } from "../crew.ts";
import type { Cell, CellFigures } from "./cell.ts";
import { Play } from "./play.ts";

const [cell = "{}", folder = ".", prefix = "127.0.0", isolated = "false"] = process.argv.slice(2);
const crew = new Crew();
// A second signal, as whoever ends a whole group of processes sends, must not end this one before its crew is gone.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => void crew.dismiss().then(() => process.exit(1)));
}
const ready = (): unknown => process.stdout.write("ready\n");
const stage = { crew, folder, prefix, isolated: isolated === "true", ready };
try {
  const figures: CellFigures = await new Play(JSON.parse(cell) as Cell, stage).run();
  const told = Object.entries(figures).map(([name, value]) => [name, endless(value)]);
  process.stdout.write(`${JSON.stringify(Object.fromEntries(told))}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await crew.dismiss();
}

/** JSON has no Infinity. */
function endless(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
