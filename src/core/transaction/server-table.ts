/**
 * Server transactions and how a request finds its own (RFC 3261 §17.2.3). Nearly always by branch, whose Map key is
 * the very string that came; several under one key are a chain.
 */

import { BRANCH_COOKIE } from "../identifiers.ts";
import { cseqOf } from "../message/cseq.ts";
import { CALL_ID } from "../message/header-names.ts";
import type { Request } from "../message/message.ts";
import { fromOf, tagOf, toOf } from "../message/name-addr.ts";
import { topVia, type Via } from "../message/via.ts";
import type { ServerEntry } from "./host.ts";

export class ServerTable {
  readonly #byKey = new Map<string, ServerEntry>();
  /** By Call-ID, from the first question for a merged request on: proxies and registrars never ask. */
  #byCall: Map<string, ServerEntry[]> | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @param method what the transaction's method must be; undefined: any, for a CANCEL. */
  find(
    key: string,
    request: Request,
    via: Via,
    method: string | undefined,
  ): ServerEntry | undefined {
    // A registrar that keeps no transactions looks for none: a branch that was never seen must first be hashed.
    let entry = this.#size === 0 ? undefined : this.#byKey.get(key);
    while (entry !== undefined && !matches(entry, request, via, method)) entry = entry.sibling;
    return entry;
  }

  add(entry: ServerEntry): void {
    entry.sibling = this.#byKey.get(entry.key);
    this.#byKey.set(entry.key, entry);
    this.#size += 1;
    if (this.#byCall !== undefined) addToCall(this.#byCall, entry);
  }

  remove(entry: ServerEntry): void {
    const { key, sibling } = entry;
    let at = this.#byKey.get(key);
    if (at === entry) {
      if (sibling === undefined) this.#byKey.delete(key);
      else this.#byKey.set(key, sibling);
    } else {
      while (at !== undefined && at.sibling !== entry) at = at.sibling;
      if (at === undefined) return;
      at.sibling = sibling;
    }
    entry.sibling = undefined;
    this.#size -= 1;
    if (this.#byCall !== undefined) removeFromCall(this.#byCall, entry);
  }

  /**
   * Whether the request came already by another way (RFC 3261 §8.2.2.2): the same From tag, Call-ID and CSeq in
   * another transaction, no To tag.
   */
  isMerged(request: Request): boolean {
    if (toOf(request.headers)?.tag !== undefined) return false;
    if (this.#byCall === undefined) {
      this.#byCall = new Map();
      for (const entry of this.#all()) addToCall(this.#byCall, entry);
    }
    const others = this.#byCall.get(callIdOf(request));
    if (others === undefined) return false;
    return others.some((entry) => entry.request !== request && isSameCall(entry.request, request));
  }

  /** Ends them all without a word. */
  drop(): void {
    for (const entry of [...this.#all()]) entry.drop();
  }

  *#all(): Generator<ServerEntry, void> {
    for (const first of this.#byKey.values()) {
      for (let at: ServerEntry | undefined = first; at !== undefined; at = at.sibling) yield at;
    }
  }
}

function addToCall(byCall: Map<string, ServerEntry[]>, entry: ServerEntry): void {
  const callId = callIdOf(entry.request);
  const others = byCall.get(callId);
  if (others === undefined) byCall.set(callId, [entry]);
  else others.push(entry);
}

function removeFromCall(byCall: Map<string, ServerEntry[]>, entry: ServerEntry): void {
  const callId = callIdOf(entry.request);
  const left = byCall.get(callId)?.filter((other) => other !== entry) ?? [];
  if (left.length === 0) byCall.delete(callId);
  else byCall.set(callId, left);
}

function callIdOf(request: Request): string {
  return request.headers.get(CALL_ID) ?? "";
}

/** Of branches older than RFC 3261 (no cookie, or nothing behind it) the key is Call-ID and CSeq number. */
export function keyOf(request: Request, via: Via): string {
  if (isUnique(via.branch)) return via.branch;
  const { headers } = request;
  return `${callIdOf(request)} ${cseqOf(headers)?.number ?? ""}`;
}

function isUnique(branch: string): boolean {
  // So short a slice is a copy, compared in a fraction of the time that `startsWith` takes.
  const { length } = BRANCH_COOKIE;
  return branch.length > length && branch.slice(0, length) === BRANCH_COOKIE;
}

function matches(
  entry: ServerEntry,
  request: Request,
  via: Via,
  method: string | undefined,
): boolean {
  if (method !== undefined && entry.request.method !== method) return false;
  const known = topVia(entry.request.headers);
  if (known === undefined || known.port !== via.port || known.host !== via.host) return false;
  return isUnique(via.branch) || matchesOld(entry, request);
}

/** The rules for RFC 2543 (§17.2.3): an ACK bears the To tag of the response that it is for. */
function matchesOld(entry: ServerEntry, request: Request): boolean {
  const known = entry.request;
  if (known.uri !== request.uri || !isSameCall(known, request)) return false;
  if (known.headers.get("via") !== request.headers.get("via")) return false;
  const tag = toOf(request.headers)?.tag;
  if (request.method === "ACK") return entry.lastTo !== undefined && tag === tagOf(entry.lastTo);
  return tag === toOf(known.headers)?.tag;
}

function isSameCall(a: Request, b: Request): boolean {
  return (
    callIdOf(a) === callIdOf(b) &&
    cseqOf(a.headers)?.number === cseqOf(b.headers)?.number &&
    fromOf(a.headers)?.tag === fromOf(b.headers)?.tag
  );
}
