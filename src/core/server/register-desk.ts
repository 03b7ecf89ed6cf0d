/**
 * Where REGISTERs arrive: whose they are (RFC 3261 §10.3 steps 1 to 5), the answer, and the events. A stateless user
 * agent server (§8.2.7): nothing is remembered but the bindings.
 */
import type { Inquiries, Inquiry } from "../inquiry.ts";
import type { Instant } from "../machine.ts";
import { CALL_ID, CSEQ, FROM, REQUIRE, TO, VIA } from "../message/header-names.ts";
import type { Request } from "../message/message.ts";
import { toOf } from "../message/name-addr.ts";
import { reasonOf } from "../message/status.ts";
import { isKeyOf, parseUri, unescapeUser } from "../message/uri.ts";
import type { Timers } from "../timers.ts";
import type { Flow } from "../transaction/user.ts";
import type { StoreAnswer, TraceEvent } from "../vocabulary.ts";
import type { Authenticator } from "./authenticator.ts";
import { type Binding, decodeBindings, inOnePiece, isLive, readHolder } from "./binding.ts";
import type { ServerClock } from "./clock.ts";
import { type Domains, nameOfKey, userOfKey } from "./domains.ts";
import { Expiries, type Watched } from "./expiries.ts";
import { keptVia } from "./flow-timer.ts";
import { placeText, shownPlace } from "./flow-token.ts";
import { type HolderSource, Holders } from "./holders.ts";
import { notSupported, unsupportedOf } from "./own-answers.ts";
import { Records } from "./records.ts";
import type { ContactEvent } from "./reg-event.ts";
import { type Registered, type RegistrarOptions, register, renewedLines } from "./registrar.ts";
import { renewalOf, writeOf } from "./renewal.ts";
import { sightOf } from "./sight.ts";
import type { Users } from "./users.ts";

/** Sends a printed response statelessly. */
export type Reply = (now: Instant, request: Request, flow: Flow, text: string) => void;

export interface RegisterDeskParts {
  readonly node: string;
  readonly boot: string;
  readonly toTag: string;
  readonly clock: ServerClock;
  readonly timers: Timers;
  readonly inquiries: Inquiries;
  readonly domains: Domains;
  readonly options: RegistrarOptions;
  /** Undefined: everybody is let in. */
  readonly users: Users | undefined;
  readonly authenticator: Authenticator | undefined;
  /** Report `binding.refreshed`. */
  readonly renewals: boolean;
  readonly reply: Reply;
  report(event: TraceEvent): void;
  /** Told of contacts that came and went, but not of their renewals. */
  changed(
    now: Instant,
    key: string,
    binding: Binding,
    what: ContactEvent,
    retryAfter?: number,
  ): void;
  /** Where other nodes reach this one. */
  nodeAddress(): string;
}

/** How an operator takes bindings away (RFC 3680 §5.1.1). */
export interface Recall {
  readonly event: "deactivated" | "probation" | "rejected";
  /** Of `probation`: when the phone may come again. */
  readonly retryAfterSeconds?: number;
}

/** What became of that: `none`: there was no binding; `unavailable`: they stand, the store could not be written. */
export type Removal = "removed" | "none" | "unavailable";

/** Others may write at the same time; in the end it is given up. */
const WRITE_ATTEMPTS = 8;

/** A look that finds the store away is taken again after this: nobody else looks. */
const STORE_AWAY_SECONDS = 10;

const CONTACT_EVENTS = { added: "registered", removed: "unregistered" } as const;

/** Whose bindings a REGISTER is about, or why it is refused. */
type Owner =
  | { readonly kind: "owner"; readonly user: string }
  | {
      readonly kind: "refused";
      readonly status: number;
      readonly lines: string;
      readonly why: string;
    };

export class RegisterDesk {
  readonly #parts: RegisterDeskParts;
  readonly #expiries: Expiries;
  readonly #records = new Records();
  /** Those due at records that this node has not written in this life. */
  readonly #looks = new Map<string, Watched>();
  readonly #epochSeconds: () => number;
  readonly #holders: Holders;
  /** Ends a To that has no tag. */
  readonly #tagging: string;

  constructor(parts: RegisterDeskParts) {
    this.#parts = parts;
    const { boot, clock, node, timers } = parts;
    this.#holders = new Holders(node, boot, parts.nodeAddress);
    this.#tagging = inOnePiece(`;tag=${parts.toTag}\r\n`);
    this.#epochSeconds = () => clock.epochSeconds;
    this.#expiries = new Expiries(timers, clock, (now, keys) => this.#lapsed(now, keys));
  }

  stop(): void {
    this.#expiries.stop();
  }

  requested(now: Instant, request: Request, flow: Flow): void {
    const owner = this.#ownerOf(request);
    if (owner.kind === "refused") {
      this.refuse(now, request, flow, owner.status, owner.lines, owner.why);
      return;
    }
    const { domains, inquiries, options } = this.#parts;
    const holder = this.#holders.of(flow, sightOf(request.headers, flow.peer));
    if (this.#renews(now, request, flow, owner.user, holder)) return;
    const key = domains.key(owner.user);
    const inquiry = register(request, key, holder, options, this.#records, this.#epochSeconds);
    inquiries.start(now, inquiry, (at, registered) => {
      const { status, reason, lines } = registered;
      this.#answer(at, request, flow, status, reason, lines);
      if (status >= 300) this.#refused(request, flow, status, reason);
      else if (registered.changes.length > 0) this.#registered(at, key, registered);
    });
  }

  /** A renewal without an inquiry, where the store answers at once. False: nothing has been done. */
  #renews(now: Instant, request: Request, flow: Flow, user: string, holder: HolderSource): boolean {
    const { inquiries, options } = this.#parts;
    const known = inquiries.immediate ? this.#records.get(unescapeUser(user)) : undefined;
    if (known === undefined) return false;
    const seconds = this.#epochSeconds();
    const renewal = renewalOf(known, request.headers, holder, seconds, options.limits);
    const written = renewal && inquiries.atOnce(renewal);
    if (renewal === undefined || written === undefined) return false;
    const { key } = renewal;
    if (written.kind !== "written") {
      this.#records.forget(userOfKey(key));
      return false;
    }
    this.#records.keep(renewal, written.version, known);
    const lines = renewedLines(request, renewal, seconds, options);
    this.#answer(now, request, flow, 200, "OK", lines);
    this.#expiries.watch(now, key, renewal.expiresAt, known);
    if (this.#parts.renewals) this.#report("refreshed", key, renewal.binding);
    return true;
  }

  refuse(
    now: Instant,
    request: Request,
    flow: Flow,
    status: number,
    lines: string,
    why: string,
  ): void {
    this.answer(now, request, flow, status, lines);
    this.#refused(request, flow, status, why);
  }

  /** A refusal that is not worth an event. @param lines headers, each with its CRLF. */
  answer(now: Instant, request: Request, flow: Flow, status: number, lines: string): void {
    this.#answer(now, request, flow, status, reasonOf(status), lines);
  }

  /** Takes away all bindings of a user, as an operator may, and tells his phones what to do about it. */
  *recall(user: string, { event, retryAfterSeconds }: Recall): Inquiry<Removal> {
    const key = this.#parts.domains.key(user);
    for (let attempt = 0; attempt < WRITE_ATTEMPTS; attempt += 1) {
      this.#records.forget(userOfKey(key));
      const read = (yield { kind: "store.read", key }) as StoreAnswer;
      if (read.kind !== "stored") return "unavailable";
      const bindings = decodeBindings(read.value ?? "", this.#epochSeconds()).filter(isLive);
      if (bindings.length === 0) return "none";
      const written = (yield writeOf(key, [], read.version, this.#records)) as StoreAnswer;
      if (written.kind === "conflict") continue;
      if (written.kind !== "written") return "unavailable";
      for (const binding of bindings) {
        this.#report("removed", key, binding);
        this.#parts.changed(this.#parts.clock.now, key, binding, event, retryAfterSeconds);
      }
      return "removed";
    }
    return "unavailable";
  }

  /**
   * Somebody has been told of these bindings, and is to be told of their end: also of one that phones made in an
   * earlier life of this node, which nothing here remembers.
   */
  stands(key: string, bindings: readonly Binding[]): void {
    const own = bindings.filter(({ holder }) => readHolder(holder).node === this.#parts.node);
    if (own.length > 0) this.#look(key, Math.min(...own.map(({ expires }) => expires)));
  }

  /** Once, however often it is asked for. */
  #look(key: string, second: number): void {
    let due: Watched | undefined = this.#records.get(userOfKey(key)) ?? this.#looks.get(key);
    if (due === undefined) {
      due = { watched: 0 };
      this.#looks.set(key, due);
    }
    this.#expiries.watch(this.#parts.clock.now, key, second, due);
  }

  #ownerOf(request: Request): Owner {
    const { headers } = request;
    const { authenticator, domains, users } = this.#parts;
    const uri = toOf(headers)?.uri ?? "";
    const to = domains.plain(uri) ?? parseUri(uri);
    if (to === undefined) return refusal(400, "the To is no SIP address");
    if (headers.has(REQUIRE)) {
      const unknown = notSupported(request);
      const told = unsupportedOf(unknown);
      const lines = told === "" ? "" : `Unsupported: ${told}\r\n`;
      if (unknown.length > 0) return refusal(420, "an extension is unknown", lines);
    }
    if (!domains.serves(to.host) || to.user === "")
      return refusal(404, "not a user of this domain");
    if (authenticator === undefined) return { kind: "owner", user: to.user };
    const epochSeconds = this.#epochSeconds();
    const verdict = authenticator.judge(request, "registrar", epochSeconds);
    if (verdict.kind === "malformed") return refusal(400, verdict.why);
    if (verdict.kind === "challenged") {
      const lines = authenticator
        .challenges(verdict.stale, epochSeconds)
        .map((challenge) => `WWW-Authenticate: ${challenge}\r\n`);
      return refusal(401, verdict.why, lines.join(""));
    }
    const user = unescapeUser(to.user);
    if (isKeyOf(user, verdict.user)) return { kind: "owner", user };
    return users?.get(user) === undefined
      ? refusal(404, "no such user")
      : refusal(403, "another user's address");
  }

  #registered(now: Instant, key: string, registered: Registered): void {
    for (const { what, binding } of registered.changes) {
      if (what !== "removed") this.#expiries.watch(now, key, binding.expires, registered.record);
      if (what !== "refreshed") this.#parts.changed(now, key, binding, CONTACT_EVENTS[what]);
      if (what !== "refreshed" || this.#parts.renewals) this.#report(what, key, binding);
    }
  }

  #report(
    what: "added" | "refreshed" | "removed" | "expired",
    key: string,
    binding: Binding,
  ): void {
    const { clock } = this.#parts;
    const { source, node } = readHolder(binding.holder);
    this.#parts.report({
      event: `binding.${what}`,
      aor: nameOfKey(key),
      contact: binding.uri,
      source: shownPlace(source),
      registeredAt: node,
      expires: Math.max(0, binding.expires - Math.ceil(clock.epochSeconds)),
    });
  }

  #refused(request: Request, flow: Flow, status: number, why: string): void {
    const { address, port, transport } = flow.peer;
    this.#parts.report({
      event: "request.refused",
      method: request.method,
      status,
      why,
      from: shownPlace(placeText(transport, address, port)),
      call: request.headers.get("call-id"),
    });
  }

  /** Looks again at records in which a binding was to end, and drops what has. */
  #lapsed(now: Instant, keys: readonly string[]): void {
    for (const key of keys) this.#parts.inquiries.start(now, this.#tidy(key), () => undefined);
  }

  /** A record that stands as this node wrote it is good, and has one look due: looks would add up with time. */
  *#tidy(key: string): Inquiry<void> {
    const user = userOfKey(key);
    this.#looks.delete(key);
    const read = (yield { kind: "store.read", key }) as StoreAnswer;
    const known = this.#records.get(user);
    const present = this.#epochSeconds();
    if (read.kind !== "stored" || read.version !== known?.version) this.#records.forget(user);
    if (read.kind !== "stored") {
      const again = Math.ceil(present) + STORE_AWAY_SECONDS;
      this.#expiries.watch(this.#parts.clock.now, key, again, undefined);
      return;
    }
    if (read.value === undefined) return;
    const all = decodeBindings(read.value, 0);
    const kept = all.filter(({ expires }) => Math.abs(expires) > present);
    if (kept.length < all.length) {
      this.#records.forget(user);
      const written = (yield writeOf(key, kept, read.version, this.#records)) as StoreAnswer;
      if (written.kind === "written") this.#reportExpired(key, all, present);
    }
    if (known !== undefined && known.watched <= present) known.watched = 0;
    const next = Math.min(...kept.filter(isLive).map(({ expires }) => expires));
    if (Number.isFinite(next)) this.#look(key, next);
  }

  #reportExpired(key: string, bindings: readonly Binding[], present: number): void {
    for (const binding of bindings) {
      if (!isLive(binding) || binding.expires > present) continue;
      this.#report("expired", key, binding);
      this.#parts.changed(this.#parts.clock.now, key, binding, "expired");
    }
  }

  /** Built by concatenation: this is the hottest answer a server gives. */
  #answer(
    now: Instant,
    request: Request,
    flow: Flow,
    status: number,
    reason: string,
    lines: string,
  ): void {
    const { headers } = request;
    const tag = toOf(headers)?.tag === undefined ? this.#tagging : "\r\n";
    const between =
      headers.pair(FROM, TO) ?? `From: ${headers.get(FROM)}\r\nTo: ${headers.get(TO)}`;
    const call =
      headers.pair(CALL_ID, CSEQ) ??
      `Call-ID: ${headers.get(CALL_ID)}\r\nCSeq: ${headers.get(CSEQ)}`;
    const top = headers.find(VIA);
    let via = headers.valueAt(top);
    if (status === 200) via = keptVia(via, flow.peer.transport);
    for (let at = headers.find(VIA, top + 1); at >= 0; at = headers.find(VIA, at + 1)) {
      via += `\r\nVia: ${headers.valueAt(at)}`;
    }
    const start = status === 200 ? OK_START : `SIP/2.0 ${status} ${reason}\r\nVia: `;
    const text = `${start}${via}\r\n${between}${tag}${call}\r\n${lines}Content-Length: 0\r\n\r\n`;
    this.#parts.reply(now, request, flow, text);
  }
}

const OK_START = "SIP/2.0 200 OK\r\nVia: ";

function refusal(status: number, why: string, lines = ""): Owner {
  return { kind: "refused", status, lines, why };
}
