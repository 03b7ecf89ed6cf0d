/**
 * The body `application/reginfo+xml`: what a registrar holds for an address of record (RFC 3680 §5). Only what a phone
 * asks about itself is read: the version of the document and what became of each contact.
 */
import { MAX_REGINFO_CONTACTS } from "./limits.ts";
import { type Attributes, decoded, tagsOf } from "./subscription-xml.ts";

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

function contactOf(attributes: Attributes, uri: string): ContactInfo {
  const wait = attributes.get("retry-after") ?? "";
  return {
    uri,
    state: attributes.get("state") ?? "",
    event: attributes.get("event") ?? "",
    retryAfter: /^\d{1,9}$/.test(wait) ? Number(wait) : undefined,
  };
}
