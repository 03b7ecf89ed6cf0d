/**
 * What nearly every REGISTER is: a phone renews its only binding, at an unchanged Contact. That is seen by comparing
 * texts, and what is written is made of what was written before, several times faster than by reading both and deciding
 * (registration.ts). All that differs in anything but times and numbers is left to the long way.
 */
import { cseqOf } from "../message/cseq.ts";
import { MAX_DELTA, secondsOf } from "../message/delta.ts";
import { CALL_ID, CONTACT, EXPIRES, PATH, USER_AGENT } from "../message/header-names.ts";
import type { Headers } from "../message/headers.ts";
import { decimal } from "../message/lexer.ts";
import type { StoreWrite } from "../vocabulary.ts";
import { type Binding, encodeBindings, endOf, inOnePiece, isLive, recordEnd } from "./binding.ts";
import type { HolderSource } from "./holders.ts";
import { copyOf } from "./own-text.ts";
import type { Records, StoredRecord } from "./records.ts";
import { NEVER_TOO_BRIEF, type RegistrarLimits } from "./registration.ts";
import { grantedSeconds } from "./spread.ts";

/**
 * The record of an address-of-record with one binding, by its URI and reached without a Path, on its way to the store.
 * A store in memory makes the text of it when somebody asks, which between two renewals hardly anybody does. What it
 * is made of keeps no datagram alive.
 */
export class SoleBinding implements StoreWrite {
  readonly key: string;
  readonly ifVersion: number;
  /** `<URI>` and the parameters but `expires`, as most phones write a Contact. */
  readonly contact: string;
  readonly expiresAt: number;
  readonly callId: string;
  readonly cseq: number;
  readonly holder: HolderSource;
  readonly userAgent: string;

  constructor(
    key: string,
    ifVersion: number,
    contact: string,
    expiresAt: number,
    callId: string,
    cseq: number,
    holder: HolderSource,
    userAgent: string,
  ) {
    this.key = key;
    this.ifVersion = ifVersion;
    this.contact = contact;
    this.expiresAt = expiresAt;
    this.callId = callId;
    this.cseq = cseq;
    this.holder = holder;
    this.userAgent = userAgent;
  }

  get kind(): "store.write" {
    return "store.write";
  }

  get late(): true {
    return true;
  }

  get value(): string | undefined {
    return encodeBindings([this.binding]);
  }

  get binding(): Binding {
    const { contact, expiresAt: expires, callId, cseq, userAgent } = this;
    const holder = this.holder.text;
    const greater = contact.indexOf(">");
    const uri = contact.slice(1, greater);
    const parameters = contact.slice(greater + 1);
    return { uri, parameters, flowKey: "", expires, callId, cseq, holder, path: "", userAgent };
  }
}

/**
 * What is to be written where these bindings are to stand.
 * @param records who will remember it.
 * @param from what the holder of the first binding is the text of, where that is at hand.
 */
export function writeOf(
  key: string,
  bindings: readonly Binding[],
  ifVersion: number,
  records: Records,
  from?: HolderSource,
): StoreWrite {
  const [sole] = bindings;
  if (bindings.length === 1 && sole !== undefined && isPlain(sole)) {
    const { uri, parameters, expires, callId, cseq, holder, userAgent } = sole;
    return new SoleBinding(
      key,
      ifVersion,
      inOnePiece(`<${uri}>${parameters}`),
      expires,
      copyOf(callId),
      cseq,
      from ?? { text: holder },
      records.shared(userAgent),
    );
  }
  const value = encodeBindings(bindings);
  return { kind: "store.write", key, value, ifVersion, expiresAt: recordEnd(bindings) };
}

/** With a reg-id the next REGISTER may make it the binding of a flow, and a `>` in a URI ends it too soon. */
function isPlain(binding: Binding): boolean {
  const { uri, parameters, flowKey, path } = binding;
  if (!isLive(binding) || flowKey !== "" || path !== "") return false;
  return !parameters.includes("reg-id") && !uri.includes(">");
}

const EXPIRES_PARAM = ";expires=";

/**
 * The renewed binding, to be written; undefined: this is something else, or something is wrong with it.
 * @param record what was written last.
 * @param holder of the binding from now on.
 */
export function renewalOf(
  { written: known, version }: StoredRecord,
  headers: Headers,
  holder: HolderSource,
  epochSeconds: number,
  limits: RegistrarLimits,
): SoleBinding | undefined {
  if (!(known instanceof SoleBinding) || known.expiresAt <= epochSeconds) return undefined;
  const wished = wishedSeconds(known.contact, headers, limits);
  if (wished <= 0 || (wished < NEVER_TOO_BRIEF && wished < limits.minExpires)) return undefined;
  const heard = headers.get(CALL_ID) as string;
  const callId = heard === known.callId ? known.callId : copyOf(heard);
  const cseq = cseqOf(headers)?.number as number;
  // RFC 3261 §10.3 step 7.
  if (callId === known.callId && cseq <= known.cseq) return undefined;
  const userAgent = headers.get(USER_AGENT) ?? "";
  return new SoleBinding(
    known.key,
    version,
    known.contact,
    endOf(epochSeconds, grantedSeconds(wished, limits, callId, cseq)),
    callId,
    cseq,
    holder,
    userAgent === known.userAgent ? known.userAgent : copyOf(userAgent),
  );
}

/** The seconds wished for if this is the only Contact, and nothing but they can differ; else -1. */
function wishedSeconds(known: string, headers: Headers, limits: RegistrarLimits): number {
  const at = headers.find(CONTACT);
  if (at < 0 || headers.find(CONTACT, at + 1) >= 0 || headers.has(PATH)) return -1;
  const contact = headers.valueAt(at);
  // What is equal to something that was read and found good needs not be read.
  if (contact === known) return secondsOf(headers, EXPIRES) ?? limits.defaultExpires;
  const { length } = known;
  if (contact.slice(0, length) !== known) return -1;
  const secondsAt = length + EXPIRES_PARAM.length;
  if (contact.slice(length, secondsAt) !== EXPIRES_PARAM) return -1;
  return decimal(contact, secondsAt, contact.length, MAX_DELTA);
}
