/**
 * The event package `reg` (RFC 3680): what a registrar holds for an address-of-record, told to the phones themselves. By
 * it an operator moves them: `deactivated` has a phone register again now, `probation` after a while, `rejected` not at
 * all (§5.1, R84).
 */
import { escapeXml } from "../dialog/subscription-xml.ts";
import type { Inquiry } from "../inquiry.ts";
import type { Hash } from "../primitives.ts";
import type { StoreAnswer } from "../vocabulary.ts";
import { type Binding, decodeBindings, isLive, secondsLeft } from "./binding.ts";
import type { Domains } from "./domains.ts";
import type { NotifierPackage } from "./notifier-subscription.ts";

/** What happened to a contact (RFC 3680 §5.1.1). */
export type ContactEvent =
  | "registered"
  | "created"
  | "refreshed"
  | "shortened"
  | "expired"
  | "deactivated"
  | "probation"
  | "unregistered"
  | "rejected";

/** Those that leave the binding standing. */
const ACTIVE: ReadonlySet<ContactEvent> = new Set([
  "registered",
  "created",
  "refreshed",
  "shortened",
]);

const NAMESPACE = "urn:ietf:params:xml:ns:reginfo";

/** RFC 3680 §4.4: a little above the usual registration. */
const DEFAULT_EXPIRES = 3_761;

export interface RegEventParts {
  readonly hash: Hash;
  readonly domains: Domains;
  epochSeconds(): number;
  /** See RegisterDesk. */
  stands(key: string, bindings: readonly Binding[]): void;
}

export class RegEventPackage implements NotifierPackage {
  readonly name = "reg";
  readonly contentType = "application/reginfo+xml";
  readonly defaultExpires: number = DEFAULT_EXPIRES;
  readonly #parts: RegEventParts;

  constructor(parts: RegEventParts) {
    this.#parts = parts;
  }

  /** Where a phone can be reached is nobody's business but its user's (§6). */
  mayWatch(watcher: string | undefined, resource: string): boolean {
    return watcher === resource;
  }

  *whole(resource: string, version: number): Inquiry<string> {
    const bindings = yield* this.#bindings(resource);
    if (bindings === undefined) return "";
    const contacts = bindings.map((binding) => this.contact(binding, "registered"));
    return this.#document(resource, version, "full", bindings.length, contacts);
  }

  *partial(resource: string, version: number, changes: readonly string[]): Inquiry<string> {
    const bindings = yield* this.#bindings(resource);
    if (bindings === undefined) return "";
    return this.#document(resource, version, "partial", bindings.length, changes);
  }

  /** What a contact is known by, from its first REGISTER to its end. */
  idOf({ flowKey, uri }: Binding): string {
    return this.#parts.hash.md5(flowKey === "" ? uri : flowKey).slice(0, 12);
  }

  /** One contact as a document shows it. */
  contact(binding: Binding, event: ContactEvent, retryAfterSeconds?: number): string {
    const active = ACTIVE.has(event);
    const left = secondsLeft(binding.expires, this.#parts.epochSeconds());
    const expires = active ? ` expires="${left}"` : "";
    const wait = retryAfterSeconds === undefined ? "" : ` retry-after="${retryAfterSeconds}"`;
    return (
      `<contact id="${this.idOf(binding)}" state="${active ? "active" : "terminated"}" event="${event}"` +
      `${expires}${wait} callid="${escapeXml(binding.callId)}" cseq="${binding.cseq}">` +
      `<uri>${escapeXml(binding.uri)}</uri></contact>`
    );
  }

  /** Undefined: the store is not there. */
  *#bindings(resource: string): Inquiry<Binding[] | undefined> {
    const key = this.#parts.domains.key(resource);
    const read = (yield { kind: "store.read", key }) as StoreAnswer;
    if (read.kind !== "stored") return undefined;
    const live = decodeBindings(read.value, this.#parts.epochSeconds()).filter(isLive);
    this.#parts.stands(key, live);
    return live;
  }

  #document(
    resource: string,
    version: number,
    state: "full" | "partial",
    live: number,
    contacts: readonly string[],
  ): string {
    const aor = `sip:${this.#parts.domains.name(resource)}`;
    const standing = live > 0 ? "active" : version === 0 ? "init" : "terminated";
    return [
      '<?xml version="1.0"?>',
      `<reginfo xmlns="${NAMESPACE}" version="${version}" state="${state}">`,
      `<registration aor="${escapeXml(aor)}" id="r" state="${standing}">`,
      ...contacts,
      "</registration>",
      "</reginfo>",
      "",
    ].join("\r\n");
  }
}
