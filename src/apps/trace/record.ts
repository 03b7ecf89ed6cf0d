/**
 * One line of the event stream that every command prints with `--json`: what happened, where and when. The
 * ladder, the pcap, the judge and the reports read these and nothing else.
 */

/** `at` in milliseconds on the clock of the stage (or of the process that printed the line). */
export interface TraceRecord {
  readonly at: number;
  readonly node: string;
  /** `noun.verb-ed`. */
  readonly event: string;
  readonly [field: string]: string | number | boolean | undefined;
}

/** Reads one line of a `--json` stream; undefined if it is no event. */
export function parseRecord(line: string): TraceRecord | undefined {
  if (!line.startsWith("{")) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  return isRecord(value) ? value : undefined;
}

function isRecord(value: unknown): value is TraceRecord {
  if (typeof value !== "object" || value === null) return false;
  const { at, event } = value as Record<string, unknown>;
  return typeof at === "number" && typeof event === "string";
}

/** The field as text, or "" if it is absent. */
export function field(record: TraceRecord, name: string): string {
  const value = record[name];
  return value === undefined ? "" : String(value);
}

const PORT = /:\d+$/;
/** No node has this name. */
const SHARED = "";

/**
 * Who stands where: read from `place.named {name, address, port}` records, and from the local addresses
 * of the messages that a node sent or received itself.
 */
export class Places {
  readonly #names = new Map<string, string>();
  /** Who is the only one at an address. */
  readonly #alone = new Map<string, string>();
  readonly #order: string[] = [];
  readonly #guests = new Set<string>();

  constructor(records: readonly TraceRecord[]) {
    for (const record of records) this.add(record);
  }

  /** Nodes with a place, in the order they were named. */
  get names(): readonly string[] {
    return this.#order;
  }

  /** Of another make: it keeps no trace, though others may keep one of it. */
  isGuest(name: string): boolean {
    return this.#guests.has(name);
  }

  add(record: TraceRecord): void {
    if (record.event === "place.named") {
      if (record.program !== undefined) this.#guests.add(field(record, "name"));
      const port = field(record, "port");
      const address = field(record, "address");
      this.#put(port === "0" ? address : `${address}:${port}`, field(record, "name"));
    } else if (isMessage(record)) {
      this.#put(field(record, "local"), record.node);
    }
  }

  /** The name of `udp:127.0.0.13:5060`, `127.0.0.13:5060` or a bare address; undefined for a stranger. */
  nameOf(place: string): string | undefined {
    const hostPort = place.replace(/^(udp|tcp|tls|ws|wss|rtp):/, "");
    const alone = this.#alone.get(hostPort.replace(PORT, ""));
    return this.#names.get(hostPort) ?? (alone === SHARED ? undefined : alone);
  }

  /** Where a node stands, as first named. */
  addressOf(name: string): string {
    for (const [place, node] of this.#names) if (node === name) return place;
    return "";
  }

  #put(place: string, name: string): void {
    if (!this.#names.has(place)) this.#names.set(place, name);
    const address = place.replace(PORT, "");
    const there = this.#alone.get(address);
    this.#alone.set(address, there === undefined || there === name ? name : SHARED);
    if (!this.#order.includes(name)) this.#order.push(name);
  }
}

/** Whether nothing is wrong with a server any more after `server.disturbed` with this `how`. */
export function leavesWell(how: string): boolean {
  return how === "heal" || how === "reset" || how === "good certificate";
}

export function isMessage(record: TraceRecord): boolean {
  return record.event === "message.sent" || record.event === "message.received";
}
