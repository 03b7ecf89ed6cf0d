/**
 * The event package `dialog` (RFC 4235): the calls of a user, as they pass this proxy: a lamp beside the name of a
 * colleague. What does not pass here is not seen: the end of a call that another node has taken over, for one.
 */
import { escapeXml } from "../dialog/subscription-xml.ts";
import type { Instant } from "../machine.ts";
import type { Request } from "../message/message.ts";
import { fromOf, toOf } from "../message/name-addr.ts";
import { parseUri, unescapeUser } from "../message/uri.ts";
import type { Hash } from "../primitives.ts";
import type { Domains } from "./domains.ts";
import { LONGEST_CALL_MS, MAX_CALLS } from "./limits.ts";
import type { NotifierPackage } from "./notifier-subscription.ts";
import { copyOf } from "./own-text.ts";

/** Figure 3 of RFC 4235, as far as a proxy can tell. */
export type CallState = "trying" | "early" | "confirmed" | "terminated";

/** One user of ours in a call. */
interface Party {
  readonly user: string;
  readonly direction: "initiator" | "recipient";
  /** Who is at the other end. */
  readonly remote: string;
}

interface Call {
  readonly id: string;
  parties: readonly Party[];
  readonly begunAt: Instant;
  state: CallState;
}

/** Something to be told to who watches `resource`. */
export interface CallChange {
  readonly resource: string;
  readonly about: string;
  readonly change: string;
  /** The user begins to talk with it, or has ended. */
  readonly talk: boolean;
}

export interface DialogInfoParts {
  readonly domains: Domains;
  readonly hash: Hash;
}

const NAMESPACE = "urn:ietf:params:xml:ns:dialog-info";

/** RFC 4235 §3.4. */
const DEFAULT_EXPIRES = 3_600;

export class DialogInfoPackage implements NotifierPackage {
  readonly name = "dialog";
  readonly contentType = "application/dialog-info+xml";
  readonly defaultExpires: number = DEFAULT_EXPIRES;
  readonly #parts: DialogInfoParts;
  /** By Call-ID, the oldest first. */
  readonly #calls = new Map<string, Call>();
  /** In how many calls a user talks. */
  readonly #talking = new Map<string, number>();

  constructor(parts: DialogInfoParts) {
    this.#parts = parts;
  }

  /** Colleagues may. */
  mayWatch(watcher: string | undefined): boolean {
    return watcher !== undefined;
  }

  /** An INVITE that begins a call is on its way. */
  begun(now: Instant, { headers }: Request): CallChange[] {
    const callId = copyOf(headers.get("call-id") ?? "");
    if (this.#calls.has(callId)) return [];
    const from = fromOf(headers)?.uri ?? "";
    const to = toOf(headers)?.uri ?? "";
    const parties: Party[] = [];
    const caller = this.#userOf(from);
    const callee = this.#userOf(to);
    if (caller !== undefined) {
      parties.push({ user: caller, direction: "initiator", remote: copyOf(to) });
    }
    if (callee !== undefined) {
      parties.push({ user: callee, direction: "recipient", remote: copyOf(from) });
    }
    if (parties.length === 0) return [];
    const id = this.#parts.hash.md5(callId).slice(0, 12);
    const call: Call = { id, parties, begunAt: now, state: "trying" };
    this.#forget(now);
    this.#calls.set(callId, call);
    return changesOf(call, undefined, false);
  }

  /** @param code the status that ended it before it was a call; undefined: none. */
  moved(callId: string, state: CallState, code?: number): CallChange[] {
    const call = this.#calls.get(callId);
    if (call === undefined || call.state === state) return [];
    const talk = state === "confirmed" || call.state === "confirmed";
    if (talk) this.#counts(call, state === "confirmed" ? 1 : -1);
    call.state = state;
    if (state === "terminated") this.#calls.delete(callId);
    return changesOf(call, code, talk);
  }

  /** It goes to a box: his who called, and no longer his who was called. */
  diverted(callId: string): CallChange[] {
    const call = this.#calls.get(callId);
    if (call === undefined || call.state === "confirmed") return [];
    const left = call.parties.filter(({ direction }) => direction === "recipient");
    call.parties = call.parties.filter(({ direction }) => direction === "initiator");
    return changesOf({ ...call, parties: left, state: "terminated" }, 408, false);
  }

  /** In a call that was answered. */
  isTalking(user: string): boolean {
    return this.#talking.has(user);
  }

  whole(resource: string, version: number): string {
    const changes: string[] = [];
    for (const call of this.#calls.values()) {
      for (const party of call.parties) {
        if (party.user === resource) changes.push(element(call, party, undefined));
      }
    }
    return this.#document(resource, version, "full", changes);
  }

  partial(resource: string, version: number, changes: readonly string[]): string {
    return this.#document(resource, version, "partial", changes);
  }

  #userOf(text: string): string | undefined {
    const uri = parseUri(text);
    if (uri === undefined || uri.user === "" || !this.#parts.domains.serves(uri.host)) {
      return undefined;
    }
    return copyOf(unescapeUser(uri.user));
  }

  #forget(now: Instant): void {
    for (const [callId, call] of this.#calls) {
      if (this.#calls.size < MAX_CALLS && now - call.begunAt < LONGEST_CALL_MS) return;
      this.#calls.delete(callId);
      if (call.state === "confirmed") this.#counts(call, -1);
    }
  }

  #counts({ parties }: Call, more: 1 | -1): void {
    for (const { user } of parties) {
      const count = (this.#talking.get(user) ?? 0) + more;
      if (count > 0) this.#talking.set(user, count);
      else this.#talking.delete(user);
    }
  }

  #document(
    resource: string,
    version: number,
    state: "full" | "partial",
    dialogs: readonly string[],
  ): string {
    const entity = `sip:${this.#parts.domains.name(resource)}`;
    return [
      '<?xml version="1.0"?>',
      `<dialog-info xmlns="${NAMESPACE}" version="${version}" state="${state}" entity="${escapeXml(entity)}">`,
      ...dialogs,
      "</dialog-info>",
      "",
    ].join("\r\n");
  }
}

function changesOf(call: Call, code: number | undefined, talk: boolean): CallChange[] {
  return call.parties.map((party) => ({
    resource: party.user,
    about: call.id,
    change: element(call, party, code),
    talk,
  }));
}

/** Without the identifiers that a stranger would need to take the call over. */
function element({ id, state }: Call, party: Party, code: number | undefined): string {
  const refused = code === undefined ? "" : ` event="${eventOf(code)}" code="${code}"`;
  return (
    `<dialog id="${id}" direction="${party.direction}"><state${refused}>${state}</state>` +
    `<remote><identity>${escapeXml(party.remote)}</identity></remote></dialog>`
  );
}

function eventOf(code: number): string {
  return code === 487 ? "cancelled" : code === 408 ? "timeout" : "rejected";
}
