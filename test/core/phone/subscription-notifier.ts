/**
 * A registrar and notifier over a real transaction layer, and a rehearsal that is staffed with three of them.
 * Left alone it accepts every REGISTER and SUBSCRIBE and notifies what the test gave it as state.
 */
import {
  type Dialog,
  dialogKey,
  dialogKeyOf,
  dialogOfServer,
} from "../../../src/core/dialog/dialog.ts";
import type { FlowId, Instant } from "../../../src/core/machine.ts";
import { secondsOf } from "../../../src/core/message/delta.ts";
import type { Request, Response } from "../../../src/core/message/message.ts";
import { toOf } from "../../../src/core/message/name-addr.ts";
import { responseTo } from "../../../src/core/message/print.ts";
import { parseUri } from "../../../src/core/message/uri.ts";
import type { AccountPolicy } from "../../../src/core/redundancy/policy.ts";
import type {
  Flow,
  ServerTransaction,
  TransactionUser,
} from "../../../src/core/transaction/user.ts";
import { purePrimitives } from "../../../src/worlds/sim/pure-primitives.ts";
import { LayerMachine } from "../../support/layer-machine.ts";
import { type PlaceName, Rehearsal, type RehearsalOptions } from "../redundancy/rehearsal.ts";

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** No NOTIFY follows a 2xx. */
  readonly mute?: boolean;
  /** What the NOTIFY after a 2xx says instead. */
  readonly told?: Told;
}

export type Habit = (request: Request) => Reply | "silence" | undefined;

/** A subscription it holds. */
export interface Held {
  readonly dialog: Dialog;
  readonly event: string;
}

/** What a NOTIFY says, where it is not as usual. */
export interface Told {
  readonly state?: string;
  readonly type?: string;
  readonly body?: string;
  readonly cseq?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

const SPACING = { t1: 500, t2: 4000, t4: 5000, interval: 0, resends: 0 };

const TYPES: Readonly<Record<string, string>> = {
  "message-summary": "application/simple-message-summary",
  reg: "application/reginfo+xml",
  dialog: "application/dialog-info+xml",
  presence: "application/pidf+xml",
};

export class Notifier implements TransactionUser {
  readonly address: string;
  /** Taken in, retransmissions not counted. */
  readonly requests: Request[] = [];
  /** Answers to its NOTIFYs. */
  readonly answers: number[] = [];
  readonly held: Map<string, Held> = new Map();
  /** The body that a new subscriber is told, by event package. */
  readonly states: Record<string, string> = {};
  /** Presence documents that were published and are there, by entity-tag. */
  publications: Map<string, string> = new Map();
  /** What a SUBSCRIBE or PUBLISH is answered with instead of 200; undefined: 200. */
  habit: Habit = () => undefined;
  readonly machine: LayerMachine;
  #port: FlowId = 0;
  #tags = 0;

  constructor(address: string) {
    this.address = address;
    this.machine = new LayerMachine(purePrimitives(address.length * 7, 3), this);
  }

  listen(): void {
    const deaf = (): void => {
      throw new Error("the notifier has no port");
    };
    const local = { transport: "udp", address: this.address, port: 5060 } as const;
    this.#port = this.machine.layer.bind(local, { listening: () => {}, deaf });
  }

  requested(now: Instant, transaction: ServerTransaction): void {
    const { request } = transaction;
    this.requests.push(request);
    if (request.method === "SUBSCRIBE") this.#subscribed(now, transaction);
    else if (request.method === "PUBLISH") this.#published(now, transaction);
    else transaction.respond(now, this.#registered(request));
  }

  /** Sends a NOTIFY in a subscription; the default is an active one with the state as it is. */
  notify(now: Instant, held: Held, told: Told = {}): void {
    const { dialog, event } = held;
    const cseq = told.cseq ?? dialog.nextCSeq();
    const request = dialog.request("NOTIFY", cseq, "placeholder");
    request.headers.remove("via");
    const body = told.body ?? this.states[event] ?? "";
    request.headers
      .add("contact", `<sip:notifier@${this.address}:5060>`)
      .add("event", event)
      .add("subscription-state", told.state ?? "active;expires=3600");
    if (body !== "") request.headers.add("content-type", told.type ?? TYPES[event] ?? "");
    for (const [name, value] of Object.entries(told.headers ?? {}))
      request.headers.set(name, value);
    request.body = body;
    const { host = "", port = 0 } = parseUri(dialog.remoteTarget) ?? {};
    const target = { transport: "udp", address: host, port } as const;
    this.machine.layer.reach(
      now,
      target,
      { from: this.#port, connected: false },
      {
        reached: (at, flow) => this.#send(at, request, flow),
        unreached: () => void this.answers.push(503),
      },
    );
  }

  #send(now: Instant, request: Request, flow: Flow): void {
    this.machine.layer.stampVia(request, flow);
    this.machine.layer.request(now, request, flow, SPACING, {
      responded: (_now, response) => void this.answers.push(response.status),
      failed: () => void this.answers.push(408),
    });
  }

  #registered(request: Request): Response {
    const response = responseTo(request, 200, undefined, this.#newTag());
    const expires = request.headers.get("expires") ?? "3600";
    const contact = request.headers.get("contact");
    if (expires !== "0") response.headers.add("contact", `${contact};expires=${expires}`);
    return response;
  }

  #published(now: Instant, transaction: ServerTransaction): void {
    const { request } = transaction;
    const reply = this.habit(request) ?? { status: 200 };
    if (reply === "silence") return;
    const before = request.headers.get("sip-if-match");
    const unknown = before !== undefined && !this.publications.has(before);
    const status = reply.status === 200 && unknown ? 412 : reply.status;
    const response = responseTo(request, status, undefined, this.#newTag());
    const seconds = secondsOf(request.headers, "expires") ?? 3600;
    for (const [name, value] of Object.entries(reply.headers ?? {})) {
      response.headers.set(name, value);
    }
    if (status === 200) {
      const tag = this.#newTag();
      const body = request.body === "" ? (this.publications.get(before ?? "") ?? "") : request.body;
      this.publications.delete(before ?? "");
      if (seconds > 0) this.publications.set(tag, body);
      response.headers.add("sip-etag", tag).add("expires", String(seconds));
    }
    transaction.respond(now, response);
  }

  #subscribed(now: Instant, transaction: ServerTransaction): void {
    const { request } = transaction;
    const reply = this.habit(request) ?? { status: 200 };
    if (reply === "silence") return;
    const known = this.held.get(dialogKeyOf(request) ?? "");
    const inside = toOf(request.headers)?.tag !== undefined;
    const tag = this.#newTag();
    const status = inside && known === undefined && reply.status === 200 ? 481 : reply.status;
    const response = responseTo(request, status, undefined, tag);
    const seconds = secondsOf(request.headers, "expires") ?? 3600;
    if (status < 300) {
      response.headers.add("contact", `<sip:notifier@${this.address}:5060>`);
      response.headers.add("expires", String(seconds));
    }
    for (const [name, value] of Object.entries(reply.headers ?? {})) {
      response.headers.set(name, value);
    }
    transaction.respond(now, response);
    if (status >= 300 || reply.mute === true) return;
    const held = known ?? this.#hold(request, tag);
    const granted = secondsOf(response.headers, "expires") ?? seconds;
    if (seconds > 0) this.notify(now, held, reply.told ?? { state: `active;expires=${granted}` });
    else {
      this.notify(now, held, { state: "terminated;reason=timeout" });
      this.#drop(held);
    }
  }

  #hold(request: Request, tag: string): Held {
    const dialog = dialogOfServer(request, tag) as Dialog;
    const event = request.headers.get("event") ?? "";
    const held = { dialog, event };
    this.held.set(keyOf(dialog), held);
    return held;
  }

  #drop({ dialog }: Held): void {
    this.held.delete(keyOf(dialog));
  }

  #newTag(): string {
    this.#tags += 1;
    return `tag${this.#tags}-${this.address}`;
  }

  cancelled(): void {}
  acknowledged(): void {}
  undelivered(): void {}
  strayed(): void {}
}

/** The servers of a rehearsal replaced by notifiers. */
export class SubscriptionStage {
  readonly rehearsal: Rehearsal;
  readonly #notifiers = new Map<PlaceName, Notifier>();

  constructor(accounts: readonly AccountPolicy[], options: RehearsalOptions) {
    this.rehearsal = new Rehearsal(accounts, options);
    for (const name of ["primary", "secondary", "fallback"] as const) {
      this.rehearsal.kill(name);
      this.hire(name);
    }
  }

  /** A notifier that knows nothing of what was before. */
  hire(name: PlaceName): this {
    const host = this.rehearsal.hostOf(name);
    if (host.state !== "down") host.kill();
    const notifier = new Notifier(this.rehearsal.server(name).address);
    this.#notifiers.set(name, notifier);
    host.restart(notifier.machine);
    host.run(() => notifier.listen());
    return this;
  }

  notifier(name: PlaceName): Notifier {
    return this.#notifiers.get(name) as Notifier;
  }

  /** The notifier's subscriptions, oldest first. */
  held(name: PlaceName): Held[] {
    return [...this.notifier(name).held.values()];
  }

  /** The notifier tells its latest subscriber something. */
  tell(name: PlaceName, told: Told = {}): this {
    const held = this.held(name).at(-1) as Held;
    this.rehearsal.hostOf(name).run((now) => this.notifier(name).notify(now, held, told));
    return this.until(this.#seconds);
  }

  start(): this {
    this.rehearsal.start();
    return this;
  }

  until(seconds: number): this {
    this.rehearsal.until(seconds);
    return this;
  }

  /** Both directions are open again; the notifier has slept through it. */
  heal(name: PlaceName): this {
    this.rehearsal.simulation.network.heal(name);
    return this;
  }

  expect(ladder: string): this {
    this.rehearsal.expect(ladder);
    return this;
  }

  /** Fields of the events of that name. */
  told(event: string, ...fields: readonly string[]): unknown[][] {
    return this.rehearsal.events
      .filter((one) => one.event === event)
      .map((one) => fields.map((field) => one[field]));
  }

  /** The requests that a server took in of one method. */
  asked(name: PlaceName, method = "SUBSCRIBE"): Request[] {
    return this.notifier(name).requests.filter((request) => request.method === method);
  }

  get #seconds(): number {
    return this.rehearsal.simulation.now / 1000;
  }
}

/** What a registrar tells about the phone's own binding. */
export function reginfo(
  version: number,
  state: "full" | "partial",
  event = "registered",
  more = "",
): string {
  const ended = event === "registered" ? "active" : "terminated";
  return `<?xml version="1.0"?>
<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" version="${version}" state="${state}">
 <registration aor="sip:2001@192.0.2.13" id="a7" state="active">
  <contact id="76" state="active" event="registered"><uri>sip:2001@192.0.2.77</uri></contact>
  <contact id="77" state="${ended}" event="${event}"${more}>
   <uri>sip:2001@192.0.2.100:5060</uri>
  </contact>
 </registration>
</reginfo>`;
}

function keyOf({ callId, localTag, remoteTag }: Dialog): string {
  return dialogKey(callId, localTag, remoteTag);
}
