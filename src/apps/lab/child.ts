/**
 * One process of the lab: a phone or a server, run as anybody would run it, with its events on stdout and
 * commands to it on stdin. None survives the lab: the nursery kills what is left when this process ends, and
 * a child whose input ends (the lab was killed outright) stops by itself.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { parseRecord, type TraceRecord } from "../trace/record.ts";
import type { Member, MemberUser } from "./member.ts";
import type { Command } from "./network/cell.ts";
import { fromTimeOfDay, wallClock } from "./wall-clock.ts";

/** Lines of a child's stderr that are kept to explain its end. */
const KEPT_LINES = 20;

/** Every child of this process, of whatever stage. */
const nursery = new Set<ChildProcess>();

function killAll(): void {
  for (const child of nursery) child.kill("SIGKILL");
}

function born({ program, args }: Command): ChildProcess {
  const child = spawn(program, [...args], { stdio: ["pipe", "pipe", "pipe"] });
  if (nursery.size === 0) process.on("exit", killAll);
  nursery.add(child);
  const gone = (): void => {
    if (nursery.delete(child) && nursery.size === 0) process.off("exit", killAll);
  };
  child.once("exit", gone);
  child.once("error", gone);
  return child;
}

export interface ChildUser extends MemberUser {
  /** `at` is on the wall clock, `node` the child's name. */
  recorded(record: TraceRecord): void;
}

export class Child implements Member {
  readonly name: string;
  readonly #process: ChildProcess;
  readonly #user: ChildUser;
  readonly #stderr: string[] = [];
  readonly #exited: Promise<void>;
  readonly #waiting = new Set<(record: TraceRecord) => void>();
  #asked = false;
  #commands = 0;
  #frozen = false;
  #over = false;
  #exitCode: number | null = null;
  /** Wall clock at the child's own instant 0: the least of the estimates, since an event is only ever timed late. */
  #zero = Number.POSITIVE_INFINITY;

  constructor(name: string, command: Command, user: ChildUser) {
    this.name = name;
    this.#user = user;
    this.#process = born(command);
    const { stdout, stderr, stdin } = this.#process;
    if (stdout !== null) createInterface({ input: stdout }).on("line", (line) => this.#line(line));
    if (stderr !== null) createInterface({ input: stderr }).on("line", (line) => this.#said(line));
    // A child that has just died cannot be written to; its end is told by `exit`.
    stdin?.on("error", () => undefined);
    this.#exited = new Promise((done) => {
      const over = (why: string, code: number | null): void => {
        if (this.#over) return;
        this.#over = true;
        this.#exitCode = code;
        this.#user.ended(this, this.#asked, why);
        done();
      };
      this.#process.once("close", (code, signal) => over(signal ?? `exit ${code}`, code));
      this.#process.once("error", (error) => over(error.message, null));
    });
  }

  get running(): boolean {
    return !this.#over;
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  /** Undefined while it runs, null if a signal ended it. */
  get exitCode(): number | null | undefined {
    return this.#over ? this.#exitCode : undefined;
  }

  /** What it last said on stderr. */
  get lastWords(): string {
    return this.#stderr.join("\n");
  }

  /** Resolves with the first event that is wanted, or undefined when the child ends before. */
  first(wanted: (record: TraceRecord) => boolean): Promise<TraceRecord | undefined> {
    return new Promise((found) => {
      const look = (record: TraceRecord): void => {
        if (!wanted(record)) return;
        this.#waiting.delete(look);
        found(record);
      };
      this.#waiting.add(look);
      void this.#exited.then(() => found(undefined));
    });
  }

  /**
   * Resolves with what it answered: `command.obeyed` or `command.refused`; undefined if it ended, or is frozen and
   * will obey later.
   */
  async command(control: Readonly<Record<string, unknown>>): Promise<TraceRecord | undefined> {
    this.#commands += 1;
    const id = this.#commands;
    const answered = this.first(
      ({ event, id: answers }) => event.startsWith("command.") && answers === id,
    );
    this.#process.stdin?.write(`${JSON.stringify({ ...control, id })}\n`);
    return this.#frozen ? undefined : answered;
  }

  freeze(): void {
    this.#frozen = this.#process.kill("SIGSTOP");
  }

  thaw(): void {
    if (this.#process.kill("SIGCONT")) this.#frozen = false;
  }

  /** At once, as a crash would. */
  async kill(): Promise<void> {
    this.#asked = true;
    this.#process.kill("SIGKILL");
    await this.#exited;
  }

  /** In order, and by force if that takes longer than `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    if (this.#over) return;
    this.#asked = true;
    if (this.#frozen) this.thaw();
    this.#process.kill("SIGTERM");
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), graceMs);
    await this.#exited;
    clearTimeout(timer);
  }

  #line(line: string): void {
    const own = parseRecord(line);
    if (own === undefined) {
      if (line.trim() !== "") this.#said(line);
      return;
    }
    const { time, ...rest } = own;
    if (typeof time === "string") {
      this.#zero = Math.min(this.#zero, fromTimeOfDay(Date.parse(time)) - own.at);
    }
    const at = Number.isFinite(this.#zero) ? this.#zero + own.at : wallClock();
    const record: TraceRecord = { ...rest, at, node: this.name, event: own.event };
    this.#user.recorded(record);
    for (const look of this.#waiting) look(record);
  }

  #said(line: string): void {
    this.#stderr.push(line);
    if (this.#stderr.length > KEPT_LINES) this.#stderr.shift();
  }
}
