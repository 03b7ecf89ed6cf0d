/**
 * How long what arrives waits until this process looks at it: by how late its own clock rings, and, where the system
 * tells (Linux), by whether datagrams were lost because nobody came to fetch them. A process that is late because
 * others have the machine, and not because it has much to do, has no wait of its own making.
 */
import { readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";

const INTERVAL_MS = 100;

/** Worth looking for lost datagrams only when there is hardly any idle time. */
const BUSY = 0.9;

/** Who had less of a processor than this was kept from it by others: to refuse requests would not help him. */
const OWN_SHARE = 0.25;

/** Whose datagram was lost sends it again after T1: so long he has waited. */
const LOST_MS = 500;

const TABLES = ["/proc/net/udp", "/proc/net/udp6"];

export class LoadMeter {
  readonly #places: ReadonlySet<string>;
  readonly #told: (waitMs: number) => void;
  #timer: NodeJS.Timeout | undefined;
  #due = 0;
  #usage = process.cpuUsage();
  #measuredAt = performance.now();
  #utilization = performance.eventLoopUtilization();
  /** Datagrams lost since the sockets were opened, when last looked at. */
  #lost = 0;

  /**
   * @param places at which datagrams are received: `192.0.2.1:5060`, or a port of whatever address.
   * @param told ten times a second, from outside of any turn of the machine.
   */
  constructor(places: Iterable<string | number>, told: (waitMs: number) => void) {
    this.#places = new Set([...places].flatMap(namesOf));
    this.#told = told;
  }

  start(): void {
    this.#lost = lostAt(this.#places);
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
      if (this.#share() < OWN_SHARE) this.#told(0);
      else this.#told(this.#losing() ? Math.max(lateMs, LOST_MS) : lateMs);
    }, INTERVAL_MS).unref();
  }

  /** The part of a processor that this process had since it was asked last; above 1 with several threads. */
  #share(): number {
    const { user, system } = process.cpuUsage(this.#usage);
    const sinceMs = performance.now() - this.#measuredAt;
    this.#usage = process.cpuUsage();
    this.#measuredAt = performance.now();
    return (user + system) / 1_000 / sinceMs;
  }

  #losing(): boolean {
    const before = this.#utilization;
    this.#utilization = performance.eventLoopUtilization();
    const busy = performance.eventLoopUtilization(this.#utilization, before).utilization >= BUSY;
    if (!busy || this.#places.size === 0) return false;
    const lost = lostAt(this.#places);
    const more = lost > this.#lost;
    this.#lost = lost;
    return more;
  }
}

/** What the tables call a place: the address's bytes backwards, or all of them, then the port; or the port alone. */
export function namesOf(place: string | number): string[] {
  const colon = typeof place === "string" ? place.lastIndexOf(":") : -1;
  const port = typeof place === "string" ? Number(place.slice(colon + 1)) : place;
  const hex = hexOf(port, 4);
  const address = typeof place === "string" ? place.slice(0, colon) : "";
  if (!/^\d+(\.\d+){3}$/.test(address)) return [hex];
  const bytes = address.split(".").map((byte) => hexOf(Number(byte), 2));
  return [`${bytes.reverse().join("")}:${hex}`, `00000000:${hex}`];
}

function hexOf(number: number, digits: number): string {
  return number.toString(16).toUpperCase().padStart(digits, "0");
}

/** Datagrams that the system has dropped there; 0 where it does not tell. @param names see `namesOf`. */
export function lostAt(names: ReadonlySet<string>): number {
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
      const local = columns[1] ?? "";
      const port = local.slice(local.lastIndexOf(":") + 1);
      if (names.has(local) || names.has(port)) lost += Number(columns.at(-1));
    }
  }
  return lost;
}
