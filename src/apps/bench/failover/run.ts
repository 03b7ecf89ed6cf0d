/** The cells of a run side by side, each in a network of its own where that can be had, and the tables made of them. */
import { mkdtempSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { findCommand } from "../../lab/guests/find-command.ts";
import { StartGate } from "../../lab/start-gate.ts";
import type { Crew } from "../crew.ts";
import type { Outcome } from "../report.ts";
import {
  type Cell,
  type CellFigures,
  type CellRun,
  cellsOf,
  type Fault,
  PHONES,
  type PhoneName,
  type Scenario,
  tablesOf,
} from "./cell.ts";
import { HOSTS, Namespace } from "./ground.ts";
import { PROGRAMS } from "./phones.ts";
import { serverKind } from "./servers.ts";

export interface FailoverOptions {
  readonly runs: number;
  readonly phones: readonly PhoneName[];
  readonly lifetimes: readonly number[];
  readonly faults: readonly Fault[];
  readonly scenarios: readonly Scenario[];
  /** Seconds. */
  readonly maxWait: number;
  /** Cells side by side. */
  readonly jobs: number;
}

/** The six processes of a cell and a registration, on a busy machine. */
const READY_MS = 120_000;
const PROGRAM = join(import.meta.dirname, "cell-program.js");
/** A cell that stands alone has all of its loopback. */
const PREFIX = "127.0.0";

/** @throws Error when no cell came to an end. */
export async function* benchFailover(
  crew: Crew,
  folder: string,
  options: FailoverOptions,
): AsyncGenerator<Outcome> {
  const { runs, lifetimes, faults, scenarios, maxWait } = options;
  const isolated = canIsolate();
  const [phones, notes] = present(options.phones, isolated);
  const once = cellsOf(phones, faults, lifetimes, maxWait, scenarios);
  const queue = Array.from({ length: runs }, () => once).flat();
  const before = loadavg()[0] ?? 0;
  const done: CellRun[] = [];
  const work = async (): Promise<void> => {
    for (let cell = queue.shift(); cell !== undefined; cell = queue.shift()) {
      const figures = await played(crew, folder, cell, isolated, notes);
      if (figures !== undefined) done.push({ cell, figures });
    }
  };
  const jobs = isolated ? options.jobs : 1;
  await Promise.all(Array.from({ length: Math.min(jobs, queue.length) }, work));
  if (done.length === 0) throw new Error(notes.join("\n"));
  const load = [before, loadavg()[0] ?? 0].map((value) => value.toFixed(1)).join(" and ");
  const tables = tablesOf(done, []);
  notes.push(`servers: ${serverKind()}; load of the machine: ${load}`);
  for (const [index, table] of tables.entries()) {
    yield index === tables.length - 1 ? { ...table, notes } : table;
  }
}

/** Those that can be measured here, and why the others cannot. */
function present(
  wanted: readonly PhoneName[],
  isolated: boolean,
): [phones: PhoneName[], notes: string[]] {
  const notes: string[] = [];
  const phones = wanted.filter((phone) => {
    const program = PROGRAMS[phone];
    if (program === undefined) return true;
    if (!isolated) notes.push(`${PHONES[phone]} needs a network namespace: root, ip and iptables`);
    else if (findCommand(program) === undefined) notes.push(`${PHONES[phone]} is not installed`);
    return isolated && findCommand(program) !== undefined;
  });
  return [phones, notes];
}

function canIsolate(): boolean {
  const trial = Namespace.open(`dialtone-${process.pid}-trial`, `${PREFIX}.${HOSTS.dns}`);
  trial?.close();
  return trial !== undefined;
}

let cells = 0;
/** What starts takes the processor away from what is measured. */
const gate = new StartGate();

/** Undefined, and a note why, if the cell came to no end. */
async function played(
  crew: Crew,
  folder: string,
  cell: Cell,
  isolated: boolean,
  notes: string[],
): Promise<CellFigures | undefined> {
  cells += 1;
  const place = mkdtempSync(join(folder, "cell-"));
  const name = `dialtone-${process.pid}-${cells}`;
  const alone = isolated ? Namespace.open(name, `${PREFIX}.${HOSTS.dns}`) : undefined;
  // Of several runs at a time on one machine each has its own part of the loopback network.
  const prefix = alone === undefined ? `127.${64 + (process.pid % 190)}.${cells % 250}` : PREFIX;
  const args = [PROGRAM, JSON.stringify(cell), place, prefix, `${alone !== undefined}`];
  const program = process.execPath;
  try {
    const command = alone?.command(program, args) ?? { program, args };
    const starting = { ...command, ready: /^ready$/m, readyWithinMs: READY_MS, keeper: true };
    const member = await gate.through(false, () => crew.start(undefined, starting));
    return figuresOf(await member.result());
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    notes.push(`${PHONES[cell.phone]}, ${cell.scenario}, ${cell.fault}: ${why}`);
    return undefined;
  } finally {
    alone?.close();
  }
}

/** The last line; JSON has no Infinity. */
function figuresOf(output: string): CellFigures {
  const told = JSON.parse(output.trim().split("\n").at(-1) ?? "{}") as Record<string, unknown>;
  const entries = Object.entries(told).map(([name, value]) => [
    name,
    typeof value === "number" ? value : Number.POSITIVE_INFINITY,
  ]);
  return Object.fromEntries(entries) as CellFigures;
}
