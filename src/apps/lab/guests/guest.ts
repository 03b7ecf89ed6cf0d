/**
 * One program of others as a process of the lab, in a process group of its own with all its children. What it says is
 * told line by line; it is steered by its standard input, if at all.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Member } from "../member.ts";
import { guardGroup, signalGroup } from "./guard.ts";

/** How a program is run. */
export interface Launch {
  readonly program: string;
  readonly args: readonly string[];
  readonly folder: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** What ends it in order: a signal, or what is typed; SIGTERM unless said. */
  readonly farewell?: { readonly signal: NodeJS.Signals } | { readonly typed: string };
}

export interface GuestUser {
  /** It ended; `asked` if somebody here wanted it. */
  ended(guest: Guest, asked: boolean, why: string): void;
  /** A line on its stdout or stderr. */
  said(guest: Guest, line: string): void;
}

/** Lines that are kept to explain its end. */
const KEPT_LINES = 20;

export class Guest implements Member {
  readonly name: string;
  readonly #process: ChildProcess;
  readonly #launch: Launch;
  readonly #user: GuestUser;
  readonly #exited: Promise<void>;
  readonly #lines: string[] = [];
  #asked = false;
  #frozen = false;
  #over = false;

  constructor(name: string, launch: Launch, user: GuestUser) {
    this.name = name;
    this.#launch = launch;
    this.#user = user;
    const { program, args, folder, environment } = launch;
    this.#process = spawn(program, [...args], {
      cwd: folder,
      detached: true,
      stdio: "pipe",
      env: { ...process.env, LANG: "C", ...environment },
    });
    const { stdin, stdout, stderr, pid } = this.#process;
    const release = pid === undefined ? () => undefined : guardGroup(pid);
    for (const output of [stdout, stderr]) {
      if (output !== null) {
        createInterface({ input: output }).on("line", (line) => this.#said(line));
      }
    }
    // A program that has just died cannot be written to; its end is told by `close`.
    stdin?.on("error", () => undefined);
    this.#exited = new Promise((done) => {
      const over = (why: string): void => {
        if (this.#over) return;
        this.#over = true;
        // Whoever of its children is left goes with it.
        this.#signal("SIGKILL");
        release();
        user.ended(this, this.#asked, why);
        done();
      };
      // Told when the last of them has closed its output, and with it its sockets.
      this.#process.once("close", (code, signal) => over(signal ?? `exit ${code}`));
      this.#process.once("error", (error) => over(error.message));
    });
  }

  get running(): boolean {
    return !this.#over;
  }

  get frozen(): boolean {
    return this.#frozen;
  }

  /** Its process group, too; 0: it could not be run. */
  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Undefined while it runs, null if a signal ended it. */
  get exitCode(): number | null | undefined {
    return this.#over ? this.#process.exitCode : undefined;
  }

  /** Its files. */
  get folder(): string {
    return this.#launch.folder;
  }

  get lastWords(): string {
    return this.#lines.join("\n");
  }

  /** Types a line. */
  type(line: string): void {
    this.#process.stdin?.write(`${line}\n`);
  }

  freeze(): void {
    this.#frozen = this.#signal("SIGSTOP");
  }

  thaw(): void {
    if (this.#signal("SIGCONT")) this.#frozen = false;
  }

  async kill(): Promise<void> {
    this.#asked = true;
    this.#signal("SIGKILL");
    await this.#exited;
  }

  async stop(graceMs: number): Promise<void> {
    if (this.#over) return;
    this.#asked = true;
    if (this.#frozen) this.thaw();
    const { farewell = { signal: "SIGTERM" } } = this.#launch;
    if ("typed" in farewell) this.type(farewell.typed);
    else this.#process.kill(farewell.signal);
    const timer = setTimeout(() => this.#signal("SIGKILL"), graceMs);
    await this.#exited;
    clearTimeout(timer);
  }

  #signal(signal: NodeJS.Signals): boolean {
    const { pid } = this.#process;
    return pid !== undefined && signalGroup(pid, signal);
  }

  #said(line: string): void {
    if (line.trim() === "") return;
    this.#lines.push(line);
    if (this.#lines.length > KEPT_LINES) this.#lines.shift();
    this.#user.said(this, line);
  }
}
