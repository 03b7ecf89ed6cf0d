/** CPU per parsed message, beside the npm package `sip`. */
import { join } from "node:path";
import type { Crew } from "./crew.ts";
import { inTurn } from "./figures.ts";
import { MESSAGES } from "./messages.ts";
import { loadSip } from "./npm-sip.ts";
import type { Outcome } from "./report.ts";

const PROGRAM = join(import.meta.dirname, "parse-program.js");

interface Parser {
  readonly name: string;
  readonly argument: string;
}

const US: Parser = { name: "dialtone", argument: "dialtone" };
const NPM_SIP: Parser = { name: "npm sip", argument: "sip" };

/** @param seconds of one run, with half as much before it. */
export async function* benchParse(
  crew: Crew,
  runs: number,
  seconds: number,
): AsyncGenerator<Outcome> {
  const parsers = loadSip() === undefined ? [US] : [US, NPM_SIP];
  for (const only of ["REGISTER", undefined]) {
    const figures = await inTurn(parsers, runs, async ({ argument }) => {
      const args = [PROGRAM, argument, `${seconds}`, ...(only === undefined ? [] : [only])];
      return Number(await crew.run(0, { program: process.execPath, args }));
    });
    const [ours, ...others] = parsers.map((parser) => {
      return { name: parser.name, runs: figures.get(parser) ?? [] };
    });
    if (ours === undefined) return;
    const sizes = only === undefined ? [...MESSAGES.values()] : [MESSAGES.get(only) as Buffer];
    const bytes = Math.round(sizes.reduce((sum, { length }) => sum + length, 0) / sizes.length);
    const which = only ?? [...MESSAGES.keys()].join(" ");
    const what = `${which} (${bytes} bytes), what a registrar reads`;
    yield { bench: "parse", what, ours, others, notes: [] };
  }
}
