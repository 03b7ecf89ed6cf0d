/**
 * What a handset shows, made of the phone's events and nothing else: where it is registered, its calls, its lamps, and
 * the latest of what it has decided, in words.
 */
import type { TimedEvent } from "../../worlds/node/driver.ts";
import { detailsOf } from "../output.ts";

/** One account as the handset shows it. */
export interface ShownAccount {
  /** As the events name it. */
  readonly name: string;
  /** The servers that its file names, 1-based, in their order. */
  readonly servers: readonly ShownServer[];
  readonly waiting: boolean;
  /** Voice messages that nobody has heard yet; undefined: not told. */
  readonly messages: number | undefined;
  /** The URI to call to hear them; empty: not told. */
  readonly box: string;
}

export interface ShownServer {
  readonly server: number;
  /** `away`: not registered there; `lost`: was, and has been left or could not be renewed. */
  readonly state: "registered" | "lost" | "away";
  /** `udp:192.0.2.13:5060`; empty: none yet. */
  readonly target: string;
  /** Why it is lost. */
  readonly why: string;
}

export interface ShownCall {
  readonly call: number;
  readonly account: string;
  readonly peer: string;
  readonly direction: "incoming" | "outgoing";
  readonly state: "trying" | "ringing" | "talking" | "held" | "held by peer";
  /** Milliseconds since the epoch at which it was answered; undefined: it was not. */
  readonly answeredAt: number | undefined;
}

/** Somebody whose lamp the phone shows. */
export interface ShownLamp {
  readonly account: string;
  /** His calls, or his presence. */
  readonly of: "calls" | "presence";
  readonly who: string;
  readonly state: string;
}

export interface Notice {
  /** ISO 8601. */
  readonly time: string;
  readonly event: string;
  readonly text: string;
}

export interface HandsetStanding {
  readonly accounts: readonly ShownAccount[];
  /** Oldest first; the last is the one that keys act upon. */
  readonly calls: readonly ShownCall[];
  readonly lamps: readonly ShownLamp[];
  /** Newest first. */
  readonly notices: readonly Notice[];
}

/** Lines that a handset page shows. */
const MAX_NOTICES = 40;

/** Not worth a line on a handset: they come with every renewal. */
const QUIET =
  /^(message|timer|transaction|media|call\.media|subscription\.accepted|server\.resolved)/;

/** The accounts and their servers as the files have them. */
export interface HandsetAccount {
  readonly name: string;
  readonly servers: number;
}

/** Keeps what the handset shows. */
export class Handset {
  #standing: HandsetStanding;

  constructor(accounts: readonly HandsetAccount[]) {
    this.#standing = {
      accounts: accounts.map(({ name, servers }) => ({
        name,
        servers: Array.from({ length: servers }, (_, index) => away(index + 1)),
        waiting: false,
        messages: undefined,
        box: "",
      })),
      calls: [],
      lamps: [],
      notices: [],
    };
  }

  get standing(): HandsetStanding {
    return this.#standing;
  }

  /** @returns whether the handset shows something else now. */
  saw(event: TimedEvent): boolean {
    const before = this.#standing;
    this.#follow(event);
    if (!QUIET.test(event.event)) this.#note(event);
    return this.#standing !== before;
  }

  #follow(event: TimedEvent): void {
    switch (event.event) {
      case "registration.accepted":
        this.#server(event, { state: "registered", target: String(event.target), why: "" });
        break;
      case "registration.failed":
      case "registration.interrupted":
        this.#server(event, { state: "lost", why: String(event.status ?? event.why) });
        break;
      case "registration.removed":
        this.#server(event, { state: "away", target: "", why: "" });
        break;
      case "message-waiting.changed":
        this.#account(event, (account) => ({
          ...account,
          waiting: event.waiting === true,
          messages: typeof event.new === "number" ? event.new : undefined,
          box: typeof event.box === "string" ? event.box : account.box,
        }));
        break;
      case "colleague.changed":
        this.#lamp(event, "calls", String(event.colleague), String(event.state));
        break;
      case "presence.changed":
        this.#lamp(event, "presence", String(event.of), String(event.activity || event.state));
        break;
      default:
        if (event.event.startsWith("call.") && typeof event.call === "number")
          this.#call(event, event.call);
    }
  }

  #server(event: TimedEvent, changes: Partial<ShownServer>): void {
    this.#account(event, (account) => ({
      ...account,
      servers: account.servers.map((one) =>
        one.server === event.server ? { ...one, ...changes } : one,
      ),
    }));
  }

  #account(event: TimedEvent, change: (account: ShownAccount) => ShownAccount): void {
    const accounts = this.#standing.accounts.map((one) =>
      one.name === event.account ? change(one) : one,
    );
    this.#standing = { ...this.#standing, accounts };
  }

  #lamp(event: TimedEvent, of: ShownLamp["of"], who: string, state: string): void {
    const account = String(event.account ?? "");
    const others = this.#standing.lamps.filter(
      (lamp) => lamp.who !== who || lamp.of !== of || lamp.account !== account,
    );
    const lamps = [...others, { account, of, who, state }];
    lamps.sort((a, b) => compare(a.who, b.who) || compare(a.of, b.of));
    this.#standing = { ...this.#standing, lamps };
  }

  #call(event: TimedEvent, id: number): void {
    const known = this.#standing.calls.find(({ call }) => call === id);
    const others = this.#standing.calls.filter(({ call }) => call !== id);
    if (event.event === "call.ended") {
      if (known !== undefined) this.#standing = { ...this.#standing, calls: others };
      return;
    }
    const call = stateAfter(event, known ?? begun(event, id));
    const at = known === undefined ? others.length : this.#standing.calls.indexOf(known);
    this.#standing = { ...this.#standing, calls: others.toSpliced(at, 0, call) };
  }

  #note(event: TimedEvent): void {
    const { at: _at, time, node: _node, event: name, callId: _callId, ...fields } = event;
    const notice = { time, event: name, text: detailsOf(fields) };
    const notices = [notice, ...this.#standing.notices].slice(0, MAX_NOTICES);
    this.#standing = { ...this.#standing, notices };
  }
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function away(server: number): ShownServer {
  return { server, state: "away", target: "", why: "" };
}

function begun(event: TimedEvent, call: number): ShownCall {
  const incoming = event.direction === "incoming";
  return {
    call,
    account: String(event.account ?? ""),
    peer: String(event.peer ?? ""),
    direction: incoming ? "incoming" : "outgoing",
    state: "trying",
    answeredAt: undefined,
  };
}

function stateAfter(event: TimedEvent, call: ShownCall): ShownCall {
  switch (event.event) {
    case "call.ringing":
      return call.answeredAt === undefined ? { ...call, state: "ringing" } : call;
    case "call.answered":
      return { ...call, state: "talking", answeredAt: Date.parse(event.time) };
    case "call.held":
      return { ...call, state: event.by === "peer" ? "held by peer" : "held" };
    case "call.resumed":
      return { ...call, state: "talking" };
    default:
      return call;
  }
}
