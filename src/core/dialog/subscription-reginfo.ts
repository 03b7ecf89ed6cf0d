/**
 * The body `application/reginfo+xml`: what a registrar holds for an address of record (RFC 3680 §5). Only what a phone
 * asks about itself is read: the version of the document and what became of each contact.
 */
import { MAX_REGINFO_CONTACTS } from "./limits.ts";

export const REGINFO_TYPE = "application/reginfo+xml";

export interface RegistrationInfo {
  readonly version: number;
  /** The whole state, not only what has changed. */
  readonly full: boolean;
  readonly contacts: readonly ContactInfo[];
}

export interface ContactInfo {
  readonly uri: string;
  readonly state: string;
  /** `deactivated`, `probation`, `rejected`, … */
  readonly event: string;
  /** Seconds after which a contact in probation may come again; undefined: not said. */
  readonly retryAfter: number | undefined;
}

const TAG = /<(\/?)(?:[\w.-]+:)?([\w.-]+)((?:\s+[\w.:-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/y;
const ATTRIBUTE = /([\w.:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;

/** Undefined if the body is no XML that closes what it opens, is of another kind, or has no version. */
export function parseRegistrationInfo(body: string): RegistrationInfo | undefined {
  const contacts: ContactInfo[] = [];
  const open: string[] = [];
  let root: Attributes | undefined;
  let contact: Attributes | undefined;
  let uri = "";
  for (const tag of tagsOf(body)) {
    if (tag === undefined) return undefined;
    if (!tag.closes) {
      if (open.length === 0 && (root !== undefined || tag.name !== "reginfo")) return undefined;
      root ??= tag.attributes;
      if (tag.name === "contact") contact = tag.attributes;
      open.push(tag.name);
    }
    if (tag.closes || tag.empty) {
      if (open.pop() !== tag.name) return undefined;
      if (tag.name === "uri") uri = decoded(tag.before.trim());
      if (tag.name !== "contact" || contact === undefined) continue;
      if (contacts.length < MAX_REGINFO_CONTACTS) contacts.push(contactOf(contact, uri));
      contact = undefined;
      uri = "";
    }
  }
  const version = root?.get("version") ?? "";
  if (open.length > 0 || !/^\d{1,15}$/.test(version)) return undefined;
  return { version: Number(version), full: root?.get("state") === "full", contacts };
}

type Attributes = ReadonlyMap<string, string>;

interface Tag {
  readonly name: string;
  readonly closes: boolean;
  readonly empty: boolean;
  readonly attributes: Attributes;
  /** The text between the tag before and this one. */
  readonly before: string;
}

/** Every tag in order; undefined where the text is none. Document types and their entities are not taken. */
function* tagsOf(body: string): Generator<Tag | undefined, void> {
  let end = 0;
  for (let at = body.indexOf("<"); at >= 0; at = body.indexOf("<", at)) {
    const skipped = passedOver(body, at);
    if (skipped > at) {
      at = skipped;
      continue;
    }
    TAG.lastIndex = at;
    const match = TAG.exec(body);
    if (match === null) {
      yield undefined;
      return;
    }
    const [whole, slash, name = "", attributes = "", empty] = match;
    const before = body.slice(end, at);
    at += whole.length;
    end = at;
    const read = new Map(
      [...attributes.matchAll(ATTRIBUTE)].map((one) => [
        one[1] as string,
        decoded(one[2] ?? one[3] ?? ""),
      ]),
    );
    yield { name, closes: slash === "/", empty: empty === "/", attributes: read, before };
  }
}

/** Behind a declaration or comment that begins at `at`; `at` itself if neither does. */
function passedOver(body: string, at: number): number {
  for (const [start, end] of [
    ["<?", "?>"],
    ["<!--", "-->"],
  ] as const) {
    const close = body.startsWith(start, at) ? body.indexOf(end, at) : -1;
    if (close >= 0) return close + end.length;
  }
  return at;
}

function contactOf(attributes: Attributes, uri: string): ContactInfo {
  const wait = attributes.get("retry-after") ?? "";
  return {
    uri,
    state: attributes.get("state") ?? "",
    event: attributes.get("event") ?? "",
    retryAfter: /^\d{1,9}$/.test(wait) ? Number(wait) : undefined,
  };
}

function decoded(text: string): string {
  return text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&apos;", "'")
    .replaceAll("&amp;", "&");
}
