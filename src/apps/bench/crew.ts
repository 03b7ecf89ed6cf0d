/** The processes of a measurement: pinned to a core where that is possible, and gone when it is over. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import { availableParallelism } from "node:os";
import { delimiter, join } from "node:path";

/** The server has this core, the load the other: neither pays for the other's cache misses and wake-ups. */
export type Core = 0 | 1;

/** How long a server may take to be ready, and a process to end after it was asked to. */
const READY_MS = 15_000;
const END_MS = 3_000;

/** Of what a process prints, the latest is kept: enough for a result, or to see why it failed. */
const KEPT_OUTPUT = 1_000;

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  /** Seen in its output when it is ready; without it, when it has ended. */
  readonly ready?: RegExp;
}

export class Crew {
  readonly #members = new Set<ChildProcess>();
  readonly #taskset: string | undefined;

  constructor() {
    this.#taskset = availableParallelism() > 1 ? findProgram("taskset") : undefined;
  }

  /** Whether server and load have a core each. */
  get pins(): boolean {
    return this.#taskset !== undefined;
  }

  /** @throws Error with the latest output if it does not get ready. */
  async start(core: Core, command: Command): Promise<Member> {
    const member = this.#spawn(core, command);
    const { ready } = command;
    if (ready !== undefined) await member.said(ready, READY_MS);
    return member;
  }

  /** Runs a program to its end and gives what it printed. */
  async run(core: Core, command: Command): Promise<string> {
    const member = this.#spawn(core, command);
    const code = await member.ended;
    if (code !== 0) throw new Error(`${command.program} ended with ${code}: ${member.output}`);
    return member.output;
  }

  /** Ends whatever still runs. */
  async dismiss(): Promise<void> {
    for (const child of this.#members) child.kill("SIGKILL");
    await Promise.all([...this.#members].map((child) => once(child, "exit")));
  }

  #spawn(core: Core, { program, args }: Command): Member {
    const whole = [program, ...args];
    const pinned = this.#taskset === undefined ? whole : [this.#taskset, "-c", `${core}`, ...whole];
    const [first = program, ...rest] = pinned;
    const child = spawn(first, rest, { stdio: ["ignore", "pipe", "pipe"] });
    this.#members.add(child);
    child.once("exit", () => this.#members.delete(child));
    return new Member(program, child);
  }
}

export class Member {
  readonly ended: Promise<number | null>;
  readonly #program: string;
  readonly #child: ChildProcess;
  #output = "";

  constructor(program: string, child: ChildProcess) {
    this.#program = program;
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        this.#output = (this.#output + chunk.toString("latin1")).slice(-KEPT_OUTPUT);
      });
    }
    this.ended = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    // Whoever waits for the end hears of a failure; nobody else needs to.
    this.ended.catch(() => undefined);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get output(): string {
    return this.#output;
  }

  async said(wanted: RegExp, patienceMs: number): Promise<void> {
    const until = performance.now() + patienceMs;
    while (!wanted.test(this.#output)) {
      if (this.#child.exitCode !== null || performance.now() > until) {
        throw new Error(`${this.#program} did not get ready: ${this.#output}`);
      }
      await pause(20);
    }
  }

  /** Asks it to end, and after a while does not ask any more. */
  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    const late = setTimeout(() => this.#child.kill("SIGKILL"), END_MS);
    await this.ended;
    clearTimeout(late);
  }
}

/** The full path of a program, looked for where administrators' programs are, too. */
export function findProgram(name: string): string | undefined {
  const path = (process.env.PATH ?? "").split(delimiter);
  for (const folder of [...path, "/usr/sbin", "/usr/local/sbin"]) {
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not in this folder; the next may have it.
    }
  }
  return undefined;
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
