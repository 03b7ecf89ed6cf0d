/** Somebody who calls the phone of a drill again and again at one server that lives, from sockets that nobody cuts. */
import type { Target } from "../../core/machine.ts";
import type { Call } from "../../core/phone/call.ts";
import type { AccountPolicy, ServerPolicy } from "../../core/redundancy/policy.ts";
import { defaultPolicy, defaultServer, PLAIN } from "../../core/redundancy/policy-defaults.ts";
import type { DrillPhone } from "./drill-phone.ts";

/** A call each so many milliseconds. */
const EVERY_MS = 500;
/** Two calls that come to nobody are enough to know. */
const PROBED_MS = 900;
const TTL_SECONDS = 3600;
/** Whoever calls gives up after so long without an answer. */
const ASKED_MS = 5000;
/** Calls under way at a time. */
const MOST_CALLS = 10;

/** The account of a caller who knows one server, at one of the places that its name has. */
export function callerAt(
  caller: AccountPolicy,
  { address: name }: ServerPolicy,
  target: Target,
): AccountPolicy {
  const { address, port, transport } = target;
  const type = address.includes(":") ? "AAAA" : "A";
  const records = name === address ? [] : [{ type, name, ttl: TTL_SECONDS, address } as const];
  const server = defaultServer(name, {
    port,
    transport: transport === "rtp" ? "udp" : transport,
    register: false,
  });
  const plain = defaultPolicy(server);
  const redundancy = {
    ...plain,
    ...PLAIN,
    dns: { ...plain.dns, records, staticFirst: true },
    startSurgeMs: 0,
  };
  const quiet = { messageWaiting: false, colleagues: [], presenceOf: [], publishPresence: false };
  return { ...caller, redundancy, ...quiet, unregisterOnStart: false };
}

/** Whether one call comes to the subject. */
export async function reaches(
  caller: DrillPhone,
  subject: DrillPhone,
  to: string,
  signal: AbortSignal,
): Promise<boolean> {
  const asker = new Asker(caller, subject, to);
  asker.start();
  await caller.until(() => Number.isFinite(asker.reachedAt), PROBED_MS, signal);
  asker.stop();
  return Number.isFinite(asker.reachedAt);
}

export class Asker {
  readonly #caller: DrillPhone;
  readonly #subject: DrillPhone;
  readonly #to: string;
  readonly #calls = new Set<Call>();
  #timer: NodeJS.Timeout | undefined;
  #reachedAt = Number.POSITIVE_INFINITY;

  /** @param to the address-of-record of the subject. */
  constructor(caller: DrillPhone, subject: DrillPhone, to: string) {
    this.#caller = caller;
    this.#subject = subject;
    this.#to = to;
  }

  /** When the first call that reached the subject was begun; Infinity: none has yet. */
  get reachedAt(): number {
    return this.#reachedAt;
  }

  /** Calls until one reaches the subject. */
  start(): void {
    const turn = (): void => {
      if (this.#calls.size < MOST_CALLS) void this.#ask();
      this.#timer = setTimeout(turn, EVERY_MS);
    };
    turn();
  }

  stop(): void {
    clearTimeout(this.#timer);
    for (const call of this.#calls) this.#caller.hangUp(call);
    this.#calls.clear();
  }

  async #ask(): Promise<void> {
    const begun = performance.now();
    const known = this.#subject.incoming;
    const call = this.#caller.call(this.#to);
    if (call === undefined) return;
    this.#calls.add(call);
    const settled = (): boolean => call.state === "confirmed" || call.state === "terminated";
    await this.#caller.until(settled, ASKED_MS);
    if (!this.#calls.delete(call)) return;
    // Who answers may be a mailbox: the phone must have heard of it.
    if (call.state === "confirmed" && this.#subject.incoming > known && begun < this.#reachedAt) {
      this.#reachedAt = begun;
      clearTimeout(this.#timer);
    }
    if (call.state !== "terminated") this.#caller.hangUp(call);
  }
}
