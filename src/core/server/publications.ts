/**
 * The presence that a user's devices have published (RFC 3903), as the store keeps it under one key: each node of a
 * system knows it, and a publication that was made at one can be refreshed at another.
 */
import {
  type PresenceDocument,
  parsePresence,
  printPresence,
} from "../dialog/subscription-presence.ts";
import type { Inquiry } from "../inquiry.ts";
import type { StoreAnswer } from "../vocabulary.ts";
import { MAX_PUBLICATIONS } from "./limits.ts";

export interface Publication {
  /** Its entity-tag, another after each change. */
  readonly tag: string;
  /** Epoch seconds. */
  readonly expires: number;
  readonly document: PresenceDocument;
}

/** What a PUBLISH asks for. */
export interface Wish {
  /** The publication it is about; undefined: a new one. */
  readonly ifMatch: string | undefined;
  /** 0 ends it. */
  readonly seconds: number;
  /** Undefined: as it is. */
  readonly document: PresenceDocument | undefined;
  /** The entity-tag from now on. */
  readonly tag: string;
}

export type PublishOutcome = "published" | "unknown-tag" | "unavailable" | "contended";

export interface StoredPublications {
  readonly live: readonly Publication[];
  /** One that has run out is still in the record. */
  readonly lapsed: boolean;
  readonly version: number;
}

/** Of the keys of the store; then the address-of-record. */
export const PUBLICATIONS_PREFIX = "presence/";

/** Attempts at one compare-and-set: more than the devices of one user that can be racing. */
const WRITE_ATTEMPTS = 8;

const HEAD = /^(\S+) (\d{1,12}) (\d{1,6})\n/;

/** Undefined: the store is not there. */
export function* readPublications(
  key: string,
  nowSeconds: () => number,
): Inquiry<StoredPublications | undefined> {
  const read = (yield { kind: "store.read", key }) as StoreAnswer;
  if (read.kind !== "stored") return undefined;
  const all = decodePublications(read.value ?? "");
  const live = all.filter(({ expires }) => expires > nowSeconds());
  return { live, lapsed: live.length < all.length, version: read.version };
}

export function* publish(
  key: string,
  wish: Wish,
  nowSeconds: () => number,
): Inquiry<PublishOutcome> {
  for (let attempt = 0; attempt < WRITE_ATTEMPTS; attempt += 1) {
    const stored = yield* readPublications(key, nowSeconds);
    if (stored === undefined) return "unavailable";
    const before = stored.live.find(({ tag }) => tag === wish.ifMatch);
    if (wish.ifMatch !== undefined && before === undefined) return "unknown-tag";
    const others = stored.live.filter((one) => one !== before);
    const document = wish.document ?? before?.document;
    const stands = wish.seconds > 0 && document !== undefined;
    const expires = Math.ceil(nowSeconds()) + wish.seconds;
    const after = stands ? [...latest(others), { tag: wish.tag, expires, document }] : others;
    if (before === undefined && !stands) return "published";
    const written = (yield {
      kind: "store.write",
      key,
      value: after.length === 0 ? undefined : encoded(after),
      ifVersion: stored.version,
      expiresAt: after.reduce((end, one) => Math.max(end, one.expires), 0),
    }) as StoreAnswer;
    if (written.kind === "written") return "published";
    if (written.kind === "unavailable") return "unavailable";
  }
  return "contended";
}

/** Room for one more: a device that forgets its publications must not shut the others out. */
function latest(publications: readonly Publication[]): Publication[] {
  const byEnd = [...publications].sort((one, other) => other.expires - one.expires);
  return byEnd.slice(0, MAX_PUBLICATIONS - 1);
}

function encoded(publications: readonly Publication[]): string {
  return publications
    .map(({ tag, expires, document }) => {
      const text = printPresence("", document);
      return `${tag} ${expires} ${text.length}\n${text}`;
    })
    .join("");
}

/** Those of one record, run out or not. */
export function decodePublications(text: string): Publication[] {
  const publications: Publication[] = [];
  for (let at = 0; at < text.length; ) {
    const head = HEAD.exec(text.slice(at, at + 128));
    if (head === null) break;
    const [whole, tag = "", expires, length] = head;
    const start = at + whole.length;
    at = start + Number(length);
    const document = parsePresence(text.slice(start, at));
    if (document !== undefined) publications.push({ tag, expires: Number(expires), document });
  }
  return publications;
}
