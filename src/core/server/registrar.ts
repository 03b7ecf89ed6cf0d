/**
 * The registrar: RFC 3261 §10.3 with Path (RFC 3327), Service-Route (RFC 3608) and outbound (RFC 5626 §6). It keeps
 * no transaction: a retransmission is known by Call-ID and CSeq of the stored binding and answered from there.
 */
import type { Inquiry } from "../inquiry.ts";
import { cseqOf } from "../message/cseq.ts";
import { MAX_DELTA, secondsOf } from "../message/delta.ts";
import { CALL_ID, EXPIRES, PATH, SUPPORTED, USER_AGENT } from "../message/header-names.ts";
import type { Headers } from "../message/headers.ts";
import { decimal } from "../message/lexer.ts";
import type { Request } from "../message/message.ts";
import { contactsOf, type NameAddr, nameAddrsOf } from "../message/name-addr.ts";
import { withoutParam } from "../message/params.ts";
import { lists } from "../message/token-list.ts";
import { parseUri, sameUriText, uriParam } from "../message/uri.ts";
import { viasOf } from "../message/via.ts";
import type { StoreAnswer } from "../vocabulary.ts";
import { type Binding, decodeBindings, isLive, readHolder, secondsLeft } from "./binding.ts";
import { userOfKey } from "./domains.ts";
import { flowTimerSeconds } from "./flow-timer.ts";
import { readPlace } from "./flow-token.ts";
import type { Gruus } from "./gruu.ts";
import type { HolderSource } from "./holders.ts";
import type { Records, StoredRecord } from "./records.ts";
import {
  type Asked,
  type AskedContact,
  type Change,
  type Decision,
  decide,
  type RegistrarLimits,
} from "./registration.ts";
import { renewalOf, type SoleBinding, writeOf } from "./renewal.ts";
import { saysOutbound } from "./sight.ts";

export interface Registered {
  readonly status: number;
  readonly reason: string;
  /** Header lines that belong to this answer, each with its CRLF. */
  readonly lines: string;
  readonly changes: readonly Change[];
  /** What was written; undefined if nothing was. */
  readonly record: StoredRecord | undefined;
}

/** Attempts at one compare-and-set: more than the nodes that can be racing for one address-of-record. */
const WRITE_ATTEMPTS = 8;

const NO_CHANGES: readonly Change[] = [];

const UNCHANGED: Decision = { kind: "unchanged" };

export interface RegistrarOptions {
  readonly limits: RegistrarLimits;
  /** A Path is taken only if the phone says that it supports it (RFC 3327 §5.3); otherwise 420. */
  readonly pathNeedsSupport?: boolean;
  /** Given with each 200 (RFC 3608); empty: none. */
  readonly serviceRoute: string;
  /** Undefined: no names of single phones are given. */
  readonly gruus?: Gruus;
}

/**
 * @param key where the bindings of this address-of-record are stored.
 * @param holder who holds the flow it came over, see Binding.
 * @param records what this node wrote last.
 * @param nowSeconds epoch seconds, asked for again after each answer of the store.
 */
export function* register(
  request: Request,
  key: string,
  holder: HolderSource,
  options: RegistrarOptions,
  records: Records,
  nowSeconds: () => number,
): Inquiry<Registered> {
  const user = userOfKey(key);
  let known = records.get(user);
  if (known !== undefined) {
    const now = nowSeconds();
    const renewal = renewalOf(known, request.headers, holder, now, options.limits);
    if (renewal !== undefined) {
      const written = (yield renewal) as StoreAnswer;
      if (written.kind === "written") {
        return renewed(
          request,
          renewal,
          now,
          options,
          records.keep(renewal, written.version, known),
        );
      }
      records.forget(user);
      if (written.kind === "unavailable") return UNAVAILABLE;
      known = undefined;
    }
  }
  const { text } = holder;
  const asked = readAsked(request, text, options);
  if ("status" in asked) return asked;
  for (let attempt = 0; attempt < WRITE_ATTEMPTS; attempt += 1) {
    const read = known ?? ((yield { kind: "store.read", key }) as StoreAnswer);
    if (!("value" in read)) return UNAVAILABLE;
    const now = nowSeconds();
    const current = decodeBindings(read.value, now);
    const decision = isQuery(asked)
      ? UNCHANGED
      : decide(current, asked, text, now, options.limits, sameUriText);
    if (decision.kind !== "changed") {
      if (known === undefined) return settled(request, key, asked, current, now, decision, options);
      // What is remembered may be out of date. A write would find that out; this needs to be asked for.
      known = undefined;
      continue;
    }
    const { bindings, changes } = decision;
    const from = bindings[0]?.holder === text ? holder : undefined;
    const write = writeOf(key, bindings, read.version, records, from);
    const written = (yield write) as StoreAnswer;
    if (written.kind === "written") {
      const record = records.keep(write, written.version, known);
      return accepted(request, key, asked, bindings, now, changes, options, record);
    }
    if (known !== undefined) records.forget(user);
    if (written.kind === "unavailable") return UNAVAILABLE;
    known = undefined;
  }
  return refused(500, "Bindings Changed Meanwhile");
}

function isQuery(asked: Asked): boolean {
  return asked.contacts.length === 0 && !asked.removesAll;
}

function settled(
  request: Request,
  key: string,
  asked: Wish,
  current: readonly Binding[],
  now: number,
  decision: Exclude<Decision, { kind: "changed" }>,
  options: RegistrarOptions,
): Registered {
  return decision.kind === "refused"
    ? refusal(decision, options)
    : accepted(request, key, asked, current, now, NO_CHANGES, options, undefined);
}

/** Another server may still have its store (redundancy.md §4: 503 is switchable, 500 is an answer). */
const UNAVAILABLE: Registered = refused(503, "Location Store Unavailable");

function refused(status: number, reason: string, lines = ""): Registered {
  return { status, reason, lines, changes: NO_CHANGES, record: undefined };
}

function refusal(
  decision: Extract<Decision, { kind: "refused" }>,
  options: RegistrarOptions,
): Registered {
  const lines = decision.status === 423 ? `Min-Expires: ${options.limits.minExpires}\r\n` : "";
  return refused(decision.status, decision.reason, lines);
}

interface Wish extends Asked {
  /** Header lines that say that RFC 5626 has been applied to it; empty: it has not. */
  readonly outbound: string;
}

function readAsked(request: Request, holder: string, options: RegistrarOptions): Wish | Registered {
  const { headers } = request;
  const contacts = contactsOf(headers);
  if (contacts === undefined) return refused(400, "Malformed Contact");
  const callId = headers.get(CALL_ID) as string;
  const cseq = cseqOf(headers)?.number as number;
  const expires = secondsOf(headers, EXPIRES);
  const path = pathOf(headers);
  if (path === undefined) return refused(400, "Malformed Path");
  const userAgent = headers.get(USER_AGENT) ?? "";
  const removesAll = contacts === "*";
  if (removesAll && expires !== 0) return refused(400, "Contact * Without Expires 0");
  if (path !== "" && options.pathNeedsSupport === true && !lists(headers, SUPPORTED, "path")) {
    return refused(420, "Bad Extension", "Unsupported: path\r\n");
  }
  const asked: AskedContact[] = [];
  let outbound = "";
  for (const contact of removesAll ? [] : contacts) {
    const { params } = contact;
    // It would lead back to this registrar (RFC 5627 §5.1).
    if (isGruu(contact.uri)) return refused(403, "Contact Is a GRUU");
    // A Cisco phone asks its standby server in this way whether it lives: nothing is to be removed (C5).
    if (params.includes("cisco-keep-alive")) continue;
    const flowKey = params.includes("reg-id") ? flowKeyOf(contact, headers) : "";
    if (flowKey !== "") {
      if (outbound !== "") return refused(400, "More Than One reg-id");
      outbound = outboundLines(holder);
    }
    asked.push(readContact(contact, flowKey));
  }
  if (outbound !== "" && !firstHopHasOutbound(headers, path)) {
    return refused(439, "First Hop Lacks Outbound Support");
  }
  return { callId, cseq, path, userAgent, contacts: asked, removesAll, expires, outbound };
}

function isGruu(text: string): boolean {
  const uri = /;gr/i.test(text) ? parseUri(text) : undefined;
  return uri !== undefined && uriParam(uri, "gr") !== undefined;
}

const GRUU_PARAMS: readonly string[] = ["pub-gruu", "temp-gruu"];

function readContact(contact: NameAddr, flowKey: string): AskedContact {
  const { uri, params } = contact;
  if (params.startsWith(";expires=") && params.indexOf(";", 1) < 0) {
    const seconds = decimal(params, 9, params.length, MAX_DELTA);
    if (seconds >= 0) return { uri, parameters: "", expires: seconds, flowKey };
  }
  const { expires } = contact;
  let parameters = expires === undefined ? params : withoutParam(params, "expires");
  // Those are ours to give: some phones send back what they were given (RFC 5627 §5.1).
  for (const name of params.includes("-gruu") ? GRUU_PARAMS : []) {
    parameters = withoutParam(parameters, name);
  }
  return { uri, parameters, expires, flowKey };
}

/** The greatest reg-id (RFC 5626 §4.2). */
const MAX_REG_ID = 0x7fff_ffff;

/**
 * Instance and reg-id are the key only for a phone that supports outbound and gives both (RFC 5626 §6). What is out of
 * range is no reg-id: without Require: outbound in the answer the phone knows that it was not applied.
 */
function flowKeyOf(contact: NameAddr, headers: Headers): string {
  const regId = contact.param("reg-id");
  const instance = contact.param("+sip.instance");
  if (regId === undefined || instance === undefined) return "";
  const number = decimal(regId, 0, regId.length, MAX_REG_ID + 1);
  if (number < 1 || number > MAX_REG_ID) return "";
  return lists(headers, SUPPORTED, "outbound") ? `${instance} ${number}` : "";
}

/** With a proxy between, that proxy must have said in its Path that it keeps the flow (RFC 5626 §6). */
function firstHopHasOutbound(headers: Headers, path: string): boolean {
  const vias = viasOf(headers);
  return (
    vias === undefined || vias.length < 2 || saysOutbound(path.slice(path.lastIndexOf(",") + 1))
  );
}

/** Over its own flow the phone is told how often to show that it lives; what is behind a proxy is that one's concern. */
function outboundLines(holder: string): string {
  const { sight, source } = readHolder(holder);
  const required = "Require: outbound\r\n";
  if (sight === "proxied") return required;
  return `${required}Flow-Timer: ${flowTimerSeconds(readPlace(source).transport)}\r\n`;
}

/** As the Route of requests to that contact, so undefined if it could be none; empty: there is none. */
function pathOf(headers: Headers): string | undefined {
  if (!headers.has(PATH)) return "";
  const hops = nameAddrsOf(headers, "path");
  if (hops?.every(({ uri }) => parseUri(uri) !== undefined) !== true) return undefined;
  return headers.all(PATH).join(", ");
}

function accepted(
  request: Request,
  key: string,
  asked: Wish,
  bindings: readonly Binding[],
  now: number,
  changes: readonly Change[],
  options: RegistrarOptions,
  record: StoredRecord | undefined,
): Registered {
  let lines = "";
  for (const binding of bindings) {
    if (!isLive(binding)) continue;
    const { parameters, callId } = binding;
    const gruus = gruusOf(request, key, parameters, callId, options);
    lines += contactLine(binding, now, gruus);
  }
  if (asked.path !== "" && lists(request.headers, SUPPORTED, "path")) {
    lines += `Path: ${asked.path}\r\n`;
  }
  lines += asked.outbound;
  lines += serviceRouteLine(options);
  return { status: 200, reason: "OK", lines, changes, record };
}

function renewed(
  request: Request,
  renewal: SoleBinding,
  now: number,
  options: RegistrarOptions,
  record: StoredRecord,
): Registered {
  const lines = renewedLines(request, renewal, now, options);
  const changes: Change[] = [{ what: "refreshed", binding: renewal.binding }];
  return { status: 200, reason: "OK", lines, changes, record };
}

/** Header lines of the answer to a renewal, see Registered. */
export function renewedLines(
  request: Request,
  { key, contact, expiresAt, callId }: SoleBinding,
  now: number,
  options: RegistrarOptions,
): string {
  const parameters = contact.slice(contact.indexOf(">") + 1);
  const gruus = gruusOf(request, key, parameters, callId, options);
  const seconds = secondsLeft(expiresAt, now);
  return `Contact: ${contact}${gruus};expires=${seconds}\r\n${serviceRouteLine(options)}`;
}

function contactLine({ uri, parameters, expires }: Binding, now: number, gruus: string): string {
  return `Contact: <${uri}>${parameters}${gruus};expires=${secondsLeft(expires, now)}\r\n`;
}

/** Given to a phone that asks for them, and is known by its instance (RFC 5627 §5.2). */
function gruusOf(
  { headers }: Request,
  key: string,
  parameters: string,
  callId: string,
  { gruus }: RegistrarOptions,
): string {
  if (parameters === "" || gruus === undefined) return "";
  if (!lists(headers, SUPPORTED, "gruu")) return "";
  return gruus.params(userOfKey(key), parameters, callId);
}

function serviceRouteLine({ serviceRoute }: RegistrarOptions): string {
  return serviceRoute === "" ? "" : `Service-Route: ${serviceRoute}\r\n`;
}
