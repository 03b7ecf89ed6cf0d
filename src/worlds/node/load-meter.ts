/**
 * How long what arrives waits until this process looks at it: by how late its own clock rings, and, where the system
 * tells (Linux), by whether datagrams were lost because nobody came to fetch them.
 */
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";

const INTERVAL_MS = 100;

/** Worth looking for lost datagrams only when there is hardly any idle time. */
const BUSY = 0.9;

/** Whose datagram was lost sends it again after T1: so long he has waited. */
const LOST_MS = 500;

const TABLES = ["/proc/net/udp", "/proc/net/udp6"];

export class LoadMeter {
  readonly #ports: ReadonlySet<string>;
  readonly #told: (waitMs: number) => void;
  #timer: NodeJS.Timeout | undefined;
  #due = 0;
  #utilization = performance.eventLoopUtilization();
  /** Datagrams lost since the sockets were opened, when last looked at. */
  #lost = 0;

  /**
   * @param ports on which datagrams are received.
   * @param told ten times a second, from outside of any turn of the machine.
   */
  constructor(ports: Iterable<number>, told: (waitMs: number) => void) {
    this.#ports = new Set(
      [...ports].map((port) => port.toString(16).toUpperCase().padStart(4, "0")),
    );
    this.#told = told;
  }

  start(): void {
    this.#lost = lostAt(this.#ports);
    this.#arm();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #arm(): void {
    this.#due = performance.now() + INTERVAL_MS;
    this.#timer = setTimeout(() => {
      const lateMs = Math.max(0, performance.now() - this.#due);
      this.#arm();
      this.#told(this.#losing() ? Math.max(lateMs, LOST_MS) : lateMs);
    }, INTERVAL_MS).unref();
  }

  #losing(): boolean {
    const before = this.#utilization;
    this.#utilization = performance.eventLoopUtilization();
    const busy = performance.eventLoopUtilization(this.#utilization, before).utilization >= BUSY;
    if (!busy || this.#ports.size === 0) return false;
    const lost = lostAt(this.#ports);
    const more = lost > this.#lost;
    this.#lost = lost;
    return more;
  }
}

/** Datagrams that the system has dropped at these ports; 0 where it does not tell. */
export function lostAt(hexPorts: ReadonlySet<string>): number {
  let lost = 0;
  for (const table of TABLES) {
    let text: string;
    try {
      text = readFileSync(table, "latin1");
    } catch {
      // Another system than Linux, or without IPv6.
      continue;
    }
    for (const line of text.split("\n").slice(1)) {
      const columns = line.trim().split(/\s+/);
      const port = columns[1]?.split(":")[1] ?? "";
      if (hexPorts.has(port)) lost += Number(columns.at(-1));
    }
  }
  return lost;
}
