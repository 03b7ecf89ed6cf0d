/**
 * The real processes of one interop test: each in a process group of its own, so that a peer with children (Kamailio)
 * is stopped, frozen and killed whole, by the ids that were kept. None outlives the test file.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** Whatever is waited for comes within this time or not at all, milliseconds. */
export const PATIENCE_MS = 20_000;
/** How often the system is asked about what tells no event of its own, milliseconds. */
const LOOK_MS = 10;
/** Time for an orderly end, milliseconds. */
const GRACE_MS = 5000;
/** Lines shown of a process that disappointed. */
const SHOWN_LINES = 30;
/** The port that marks a block as taken. */
const LOCK_PORT = 5059;

/** In the environment: one file for the TLS secrets of all households, for whoever captures them all at once. */
export const KEY_LOG = "DIALTONE_TLS_SECRETS";

/** A line for people. */
type Shown = (line: string) => string;

/** Everything that one test file starts; `close` ends it and removes its files. */
export class Household {
  /** For configurations, recordings and sockets. */
  readonly folder: string = mkdtempSync(join(tmpdir(), "dialtone-interop-"));
  readonly #members = new Set<Running>();
  readonly #lock: Socket;
  readonly #prefix: string;
  readonly #abandon = (): void => {
    for (const member of this.#members) member.signal("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  };
  /** Ctrl-C does not reach the other groups by itself. */
  readonly #interrupted = (): void => process.exit(130);

  private constructor(prefix: string, lock: Socket) {
    this.#prefix = prefix;
    this.#lock = lock;
    process.on("exit", this.#abandon);
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(signal, this.#interrupted);
    }
  }

  /**
   * A household with the addresses 127.0.`block`.x for itself, or 127.N.`block`.x while another run of the same test
   * has them.
   */
  static async open(block: number): Promise<Household> {
    for (let network = 0; network < 64; network += 1) {
      const prefix = `127.${network}.${block}`;
      const lock = createSocket("udp4");
      lock.bind(LOCK_PORT, `${prefix}.1`);
      try {
        await once(lock, "listening");
      } catch {
        // Taken by another run.
        continue;
      }
      lock.unref();
      return new Household(prefix, lock);
    }
    throw new Error(`every network 127.N.${block}.x is taken`);
  }

  /** The whole block in the way of a capture filter. */
  get network(): string {
    return `${this.#prefix}.0/24`;
  }

  address(last: number): string {
    return `${this.#prefix}.${last}`;
  }

  /** Where our own processes write the secrets of their TLS connections, so that a capture can be read. */
  get keyLog(): string {
    return process.env[KEY_LOG] ?? this.path("tls-secrets.log");
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** @param shown how to show a line when the process disappoints. */
  spawn(name: string, program: string, args: readonly string[], shown?: Shown): Running {
    const running = new Running(name, program, args, this.folder, shown);
    this.#members.add(running);
    return running;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#members].map((member) => member.stop()));
    await new Promise<void>((done) => this.#lock.close(done));
    process.off("exit", this.#abandon);
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.off(signal, this.#interrupted);
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** One process and its children. */
export class Running {
  readonly name: string;
  /** Its process group, too. */
  readonly pid: number;
  /** All it said, on stdout and stderr, oldest first. */
  readonly lines: string[] = [];
  readonly exited: Promise<void>;
  readonly #process: ChildProcess;
  readonly #shown: Shown;
  readonly #listeners = new Set<() => void>();
  #over = false;

  constructor(
    name: string,
    program: string,
    args: readonly string[],
    cwd: string,
    shown: Shown = (line) => line,
  ) {
    this.name = name;
    this.#shown = shown;
    this.#process = spawn(program, [...args], { cwd, detached: true, stdio: "pipe" });
    const { stdin, stdout, stderr, pid } = this.#process;
    if (pid === undefined) throw new Error(`${program} cannot be run`);
    this.pid = pid;
    for (const output of [stdout, stderr]) {
      if (output !== null)
        createInterface({ input: output }).on("line", (line) => this.#said(line));
    }
    // A process that has just died cannot be written to; its end is told by `exit`.
    stdin?.on("error", () => undefined);
    this.exited = new Promise((done) => {
      this.#process.once("close", () => {
        this.#over = true;
        this.#tell();
        done();
      });
    });
  }

  get running(): boolean {
    return !this.#over;
  }

  /** Undefined while it runs, null if a signal ended it. */
  get exitCode(): number | null | undefined {
    return this.#over ? this.#process.exitCode : undefined;
  }

  write(text: string): void {
    this.#process.stdin?.write(text);
  }

  /** To it and all its children. */
  signal(name: NodeJS.Signals): void {
    try {
      process.kill(-this.pid, name);
    } catch {
      // Nobody is left.
    }
  }

  /** At once, as a crash would; nobody is left when it resolves. */
  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.exited;
    await reached(`the end of ${this.name}`, () => membersOf(this.pid).length === 0);
  }

  /** In order, and by force if that takes too long. */
  async stop(): Promise<void> {
    if (membersOf(this.pid).length === 0) return;
    this.signal("SIGCONT");
    this.#process.kill("SIGTERM");
    const timer = setTimeout(() => this.signal("SIGKILL"), GRACE_MS);
    await this.exited;
    clearTimeout(timer);
    await this.kill();
  }

  /** The first line from number `from` on that matches. */
  line(pattern: RegExp, from = 0): Promise<string> {
    let next = from;
    return this.until(`a line like ${pattern}`, () => {
      while (next < this.lines.length) {
        const line = this.lines[next] as string;
        next += 1;
        if (pattern.test(line)) return line;
      }
      return undefined;
    });
  }

  /**
   * Looks for something now and after every line, until it is there.
   * @throws Error with the last lines when the process ends before, or time is up.
   */
  until<T>(what: string, look: () => T | undefined, patienceMs: number = PATIENCE_MS): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (): boolean => {
        const found = look();
        if (found === undefined && !this.#over) return false;
        this.#listeners.delete(listener);
        clearTimeout(timer);
        if (found === undefined) reject(this.#disappointment(`ended without ${what}`));
        else resolve(found);
        return true;
      };
      const listener = (): void => void settle();
      const timer = setTimeout(() => {
        this.#listeners.delete(listener);
        reject(this.#disappointment(`has not shown ${what} in ${patienceMs / 1000} s`));
      }, patienceMs);
      if (!settle()) this.#listeners.add(listener);
    });
  }

  #said(line: string): void {
    this.lines.push(line);
    this.#tell();
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  #disappointment(what: string): Error {
    const shown = this.lines.slice(-SHOWN_LINES).map(this.#shown);
    return new Error(`${this.name} ${what}; its last lines:\n${shown.join("\n")}`);
  }
}

/**
 * For what comes without an event: the end of a child that is not ours to wait for, a port of another process.
 * @throws Error when it has not come in time.
 */
export async function reached(
  what: string,
  look: () => boolean | Promise<boolean>,
  patienceMs: number = PATIENCE_MS,
): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!(await look())) {
    if (performance.now() > deadline) throw new Error(`${what} has not come`);
    await new Promise((done) => setTimeout(done, LOOK_MS));
  }
}

/** The ids of a process group, without those that are dead and only not yet buried. */
export function membersOf(group: number): number[] {
  const members: number[] = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = statOf(name);
    // After the name in parentheses: state, parent, group.
    const [state, , pgrp] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (Number(pgrp) === group && state !== "Z" && state !== "X") members.push(Number(name));
  }
  return members;
}

function statOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    // It ended while we looked.
    return "";
  }
}
