/**
 * What one REGISTER does to the bindings of its address-of-record: RFC 3261 §10.3 steps 6 and 7, RFC 5626 §6.
 * Pure: the bindings come in, the bindings go out, all changes or none.
 */
import type { Binding } from "./binding.ts";
import { endOf, isLive } from "./binding.ts";
import { grantedSeconds } from "./spread.ts";

/** One Contact of a REGISTER. */
export interface AskedContact {
  readonly uri: string;
  /** Parameters but `expires`, with the leading semicolon, or empty. */
  readonly parameters: string;
  /** Seconds from the contact's own `expires` parameter. */
  readonly expires: number | undefined;
  /** See Binding.flowKey. */
  readonly flowKey: string;
}

/** What a REGISTER asks for. */
export interface Asked {
  readonly callId: string;
  readonly cseq: number;
  readonly contacts: readonly AskedContact[];
  /** `Contact: *`. */
  readonly removesAll: boolean;
  /** Seconds from the Expires header. */
  readonly expires: number | undefined;
  /** See Binding. */
  readonly path: string;
  readonly userAgent: string;
}

/** What a registrar grants. */
export interface RegistrarLimits {
  /** Seconds; shorter is answered 423 (R31). */
  readonly minExpires: number;
  /** Seconds; longer is shortened. */
  readonly maxExpires: number;
  /** Seconds granted when nothing was asked. */
  readonly defaultExpires: number;
  readonly bindingsPerAor: number;
  /** Grants are shortened by up to this share, 0..0.5, so that who came together does not come back so (R111). */
  readonly expirySpread?: number;
}

/** 10 s to 2 h, 1 h where nothing is asked, 20 bindings. */
export const DEFAULT_REGISTRAR_LIMITS: RegistrarLimits = {
  minExpires: 10,
  maxExpires: 7_200,
  defaultExpires: 3_600,
  bindingsPerAor: 20,
};

export interface Change {
  readonly what: "added" | "refreshed" | "removed";
  readonly binding: Binding;
}

export type Decision =
  /** A query, or a retransmission: nothing to write. */
  | { readonly kind: "unchanged" }
  | {
      readonly kind: "changed";
      readonly bindings: readonly Binding[];
      readonly changes: readonly Change[];
    }
  | { readonly kind: "refused"; readonly status: number; readonly reason: string };

/** An hour: a registrar may not call a longer wish too brief (RFC 3261 §10.3 step 7). */
export const NEVER_TOO_BRIEF = 3_600;

/** How long a removed binding is remembered: as long as a retransmission can be under way (64·T1), in seconds. */
const REMOVAL_MEMORY = 32;

/**
 * @param holder see Binding.
 * @param sameUri RFC 3261 §19.1.4 equality, asked only of texts that differ.
 */
export function decide(
  current: readonly Binding[],
  asked: Asked,
  holder: string,
  epochSeconds: number,
  limits: RegistrarLimits,
  sameUri: (one: string, other: string) => boolean,
): Decision {
  if (asked.removesAll) return removeAll(current, asked, epochSeconds);
  const bindings = [...current];
  const changes: Change[] = [];
  for (const contact of asked.contacts) {
    const wish = contact.expires ?? asked.expires ?? limits.defaultExpires;
    if (wish > 0 && wish < NEVER_TOO_BRIEF && wish < limits.minExpires) {
      return { kind: "refused", status: 423, reason: "Interval Too Brief" };
    }
    const index = bindings.findIndex((binding) => isSameContact(binding, contact, sameUri));
    const existing = bindings[index];
    if (existing !== undefined && existing.callId === asked.callId) {
      if (asked.cseq === existing.cseq) continue;
      if (asked.cseq < existing.cseq) return OUT_OF_ORDER;
    }
    if (wish === 0) {
      if (existing === undefined || !isLive(existing)) continue;
      bindings[index] = removed(existing, asked, epochSeconds);
      changes.push({ what: "removed", binding: existing });
      continue;
    }
    const seconds = grantedSeconds(wish, limits, asked.callId, asked.cseq);
    const binding = bind(contact, asked, holder, endOf(epochSeconds, seconds));
    const renewed = existing !== undefined && isLive(existing);
    // The one registered last stands last: of the flows of one phone it is the first to be called.
    if (existing !== undefined) bindings.splice(index, 1);
    bindings.push(binding);
    changes.push({ what: renewed ? "refreshed" : "added", binding });
  }
  if (changes.length === 0) return UNCHANGED;
  if (bindings.length <= limits.bindingsPerAor) return { kind: "changed", bindings, changes };
  if (bindings.filter(isLive).length > limits.bindingsPerAor) {
    return { kind: "refused", status: 403, reason: "Too Many Contacts" };
  }
  return { kind: "changed", bindings: withoutOldest(bindings, limits), changes };
}

const UNCHANGED: Decision = { kind: "unchanged" };

const OUT_OF_ORDER: Decision = { kind: "refused", status: 500, reason: "CSeq Out Of Order" };

function removeAll(current: readonly Binding[], asked: Asked, epochSeconds: number): Decision {
  const bindings: Binding[] = [];
  const changes: Change[] = [];
  for (const binding of current) {
    if (!isLive(binding)) {
      bindings.push(binding);
      continue;
    }
    if (binding.callId === asked.callId && asked.cseq <= binding.cseq) return OUT_OF_ORDER;
    bindings.push(removed(binding, asked, epochSeconds));
    changes.push({ what: "removed", binding });
  }
  return changes.length === 0 ? UNCHANGED : { kind: "changed", bindings, changes };
}

function isSameContact(
  binding: Binding,
  contact: AskedContact,
  sameUri: (one: string, other: string) => boolean,
): boolean {
  if (contact.flowKey !== "" || binding.flowKey !== "") return binding.flowKey === contact.flowKey;
  return binding.uri === contact.uri || sameUri(binding.uri, contact.uri);
}

function bind(contact: AskedContact, asked: Asked, holder: string, expires: number): Binding {
  return {
    uri: contact.uri,
    parameters: contact.parameters,
    flowKey: contact.flowKey,
    expires,
    callId: asked.callId,
    cseq: asked.cseq,
    holder,
    path: asked.path,
    userAgent: asked.userAgent,
  };
}

/** Keeps who removed it and when, and nothing that costs room. */
function removed(binding: Binding, asked: Asked, epochSeconds: number): Binding {
  return {
    ...binding,
    parameters: "",
    path: "",
    userAgent: "",
    expires: -endOf(epochSeconds, REMOVAL_MEMORY),
    callId: asked.callId,
    cseq: asked.cseq,
  };
}

/** Four times as many as may be live, removed ones counted; those removed first are forgotten first. */
function withoutOldest(bindings: readonly Binding[], limits: RegistrarLimits): readonly Binding[] {
  const tooMany = bindings.length - 4 * limits.bindingsPerAor;
  if (tooMany <= 0) return bindings;
  const gone = bindings.filter((binding) => !isLive(binding));
  const oldest = new Set(gone.sort((a, b) => b.expires - a.expires).slice(0, tooMany));
  return bindings.filter((binding) => !oldest.has(binding));
}
