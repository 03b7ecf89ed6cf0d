/**
 * The body `application/pidf+xml`: whether somebody can be reached (RFC 3863 §4), and what he is doing (the activities
 * of RPID, RFC 4480 §3.2). What else may stand there is left out.
 */
import { MAX_PRESENCE_TEXT, MAX_PRESENCE_TUPLES, MAX_PRESENCE_WORDS } from "./limits.ts";
import { type Attributes, decoded, escapeXml, tagsOf } from "./subscription-xml.ts";

export const PIDF_TYPE = "application/pidf+xml";

/** The one activity that a phone and a proxy see for themselves. */
export const ON_THE_PHONE = "on-the-phone";

export interface PresenceDocument {
  readonly tuples: readonly PresenceTuple[];
  /** Names of RPID, each once. */
  readonly activities: readonly string[];
  /** About the person as a whole. */
  readonly notes: readonly string[];
}

/** One way of reaching somebody. */
export interface PresenceTuple {
  readonly id: string;
  /** "": not said. */
  readonly basic: "open" | "closed" | "";
  /** A URI; empty: not said. */
  readonly contact: string;
  readonly notes: readonly string[];
}

/** `away`, `in-transit` and the like; RPID leaves room for more than it lists. */
const ACTIVITY = /^(?!(?:note|other|unknown)$)[a-z][a-z-]{0,31}$/;

const SPACES =
  'xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" ' +
  'xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid"';

/** Undefined if the body is no XML that closes what it opens, or of another kind. */
export function parsePresence(body: string): PresenceDocument | undefined {
  const reading = new Reading();
  const open: string[] = [];
  let begun = false;
  for (const tag of tagsOf(body)) {
    if (tag === undefined) return undefined;
    if (!tag.closes) {
      if (open.length === 0 && (begun || tag.name !== "presence")) return undefined;
      begun = true;
      reading.opened(tag.name, tag.attributes, open.at(-1) ?? "");
      open.push(tag.name);
    }
    if (!(tag.closes || tag.empty)) continue;
    if (open.pop() !== tag.name) return undefined;
    reading.closed(tag.name, open.at(-1) ?? "", tag.closes ? decoded(tag.before.trim()) : "");
  }
  return begun && open.length === 0 ? reading.document : undefined;
}

/** @param entity whose presence it is, a URI. */
export function printPresence(entity: string, document: PresenceDocument): string {
  const { activities, notes, tuples } = document;
  const doing = activities.map((name) => `<rpid:${name}/>`).join("");
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<presence ${SPACES} entity="${escapeXml(entity)}">`,
    ...tuples.map(printTuple),
    ...notes.map(printNote),
    ...(doing === ""
      ? []
      : [`<dm:person id="person"><rpid:activities>${doing}</rpid:activities></dm:person>`]),
    "</presence>",
    "",
  ].join("\r\n");
}

function printTuple({ id, basic, contact, notes }: PresenceTuple): string {
  const status = basic === "" ? "<status/>" : `<status><basic>${basic}</basic></status>`;
  const where = contact === "" ? "" : `<contact>${escapeXml(contact)}</contact>`;
  return `<tuple id="${escapeXml(id)}">${status}${where}${notes.map(printNote).join("")}</tuple>`;
}

function printNote(note: string): string {
  return `<note>${escapeXml(note)}</note>`;
}

/** A document while its tags go by. */
class Reading {
  readonly #tuples: PresenceTuple[] = [];
  readonly #activities = new Set<string>();
  readonly #notes: string[] = [];
  #id = "";
  #basic: PresenceTuple["basic"] = "";
  #contact = "";
  #tupleNotes: string[] = [];

  get document(): PresenceDocument {
    return { tuples: this.#tuples, activities: [...this.#activities], notes: this.#notes };
  }

  opened(name: string, attributes: Attributes, parent: string): void {
    if (name === "tuple") {
      this.#id = fitting(attributes.get("id") ?? "");
      this.#basic = "";
      this.#contact = "";
      this.#tupleNotes = [];
    } else if (parent === "activities" && ACTIVITY.test(name)) {
      if (this.#activities.size < MAX_PRESENCE_WORDS) this.#activities.add(name);
    }
  }

  closed(name: string, parent: string, text: string): void {
    if (name === "basic" && parent === "status") {
      this.#basic = text === "open" || text === "closed" ? text : "";
    } else if (name === "contact" && parent === "tuple") {
      this.#contact = fitting(text);
    } else if (name === "note") {
      const notes = parent === "tuple" ? this.#tupleNotes : this.#notes;
      if (fitting(text) !== "" && notes.length < MAX_PRESENCE_WORDS) notes.push(text);
    } else if (name === "tuple" && this.#tuples.length < MAX_PRESENCE_TUPLES) {
      const tuple = { id: this.#id, basic: this.#basic, contact: this.#contact };
      this.#tuples.push({ ...tuple, notes: this.#tupleNotes });
    }
  }
}

/** A text cut anywhere might end within a character. */
function fitting(text: string): string {
  return text.length <= MAX_PRESENCE_TEXT ? text : "";
}
