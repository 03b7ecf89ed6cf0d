/** The processes of a measurement: pinned to a core where that is possible, and gone when it is over. */
import { type ChildProcess, spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { createInterface } from "node:readline";
import { findCommand } from "../lab/guests/find-command.ts";
import { signalGroup } from "../lab/guests/guard.ts";

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
  /** By then it must be ready; after a quarter of a minute if left out. */
  readonly readyWithinMs?: number;
  /** Told each whole line of its output. */
  readonly line?: (line: string) => void;
  /** It has children, which are signalled with it. */
  readonly group?: boolean;
  /** It has processes that only it can end, and does when it is asked to end itself. */
  readonly keeper?: boolean;
}

export class Crew {
  readonly #members = new Set<Member>();
  readonly #taskset: string | undefined;
  #dismissed = false;

  constructor() {
    this.#taskset = availableParallelism() > 1 ? findCommand("taskset") : undefined;
  }

  /** Whether server and load have a core each. */
  get pins(): boolean {
    return this.#taskset !== undefined;
  }

  /** @throws Error with the latest output if it does not get ready. */
  async start(core: Core | undefined, command: Command): Promise<Member> {
    const member = this.#spawn(core, command);
    const { ready, readyWithinMs = READY_MS } = command;
    if (ready !== undefined) await member.said(ready, readyWithinMs);
    return member;
  }

  /** Runs a program to its end and gives what it printed. */
  async run(core: Core | undefined, command: Command): Promise<string> {
    return await this.#spawn(core, command).result();
  }

  /** Ends whatever still runs; nothing more is started. */
  async dismiss(): Promise<void> {
    this.#dismissed = true;
    await Promise.all([...this.#members].map((member) => member.leave()));
  }

  #spawn(core: Core | undefined, command: Command): Member {
    if (this.#dismissed) throw new Error(`${command.program} is not started any more`);
    const whole = [command.program, ...command.args];
    const free = this.#taskset === undefined || core === undefined;
    const [first = "", ...rest] = free ? whole : [this.#taskset, "-c", `${core}`, ...whole];
    const member = new Member(command, spawn(first, rest, { detached: command.group === true }));
    this.#members.add(member);
    void member.gone.then(() => this.#members.delete(member));
    return member;
  }
}

export class Member {
  /** With its status; rejects if it could not be started. */
  readonly ended: Promise<number | null>;
  /** It is no more, however that came. */
  readonly gone: Promise<void>;
  readonly #command: Command;
  readonly #child: ChildProcess;
  #output = "";

  constructor(command: Command, child: ChildProcess) {
    this.#command = command;
    this.#child = child;
    // A process that has just died cannot be written to; its end is told by itself.
    child.stdin?.on("error", () => undefined);
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        this.#output = (this.#output + chunk.toString("latin1")).slice(-KEPT_OUTPUT);
      });
      const { line } = command;
      if (stream !== null && line !== undefined)
        createInterface({ input: stream }).on("line", line);
    }
    this.ended = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    this.gone = this.ended.then(
      () => undefined,
      () => undefined,
    );
  }

  /**
   * What it printed last, when it has ended.
   * @throws Error with that if its status is not 0.
   */
  async result(): Promise<string> {
    const code = await this.ended;
    if (code === 0) return this.#output;
    throw new Error(`${this.#command.program} ended with ${code}: ${this.#output}`);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get output(): string {
    return this.#output;
  }

  write(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** To it, and to its children if it is a group. */
  signal(name: NodeJS.Signals): void {
    if (this.#command.group === true && this.pid > 0) signalGroup(this.pid, name);
    else this.#child.kill(name);
  }

  /** Now; a keeper is asked, and given time. */
  async leave(): Promise<void> {
    if (this.#command.keeper === true) await this.stop();
    else this.signal("SIGKILL");
    await this.gone;
  }

  async said(wanted: RegExp, patienceMs: number): Promise<void> {
    const until = performance.now() + patienceMs;
    while (!wanted.test(this.#output)) {
      if (this.#child.exitCode !== null || performance.now() > until) {
        throw new Error(`${this.#command.program} did not get ready: ${this.#output}`);
      }
      await pause(20);
    }
  }

  /** Asks it to end, and after a while does not ask any more. */
  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    const late = setTimeout(() => this.#child.kill("SIGKILL"), END_MS);
    await this.gone;
    clearTimeout(late);
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
