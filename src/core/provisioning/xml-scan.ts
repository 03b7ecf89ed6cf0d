/**
 * The attributes of an XML file with their lines (XML 1.0 §2–§4, no document types). Polycom and Spectralink files
 * say everything in attributes, whatever the elements are called; a fault must name the attribute's own line.
 */
import type { Fault, Origin, SourceFile } from "./configuration.ts";
import { error, looksSecret, MASK, notFollowed } from "./fault.ts";
import { areGiven } from "./includes.ts";
import { isPlaceholder, unfilled } from "./placeholder.ts";
import type { Assignment } from "./settings.ts";

/** Every attribute in order. The first place that is not XML is an error, and nothing after it is read. */
export function scanXml(file: SourceFile, faults: Fault[], given: readonly string[]): Assignment[] {
  return new XmlScan(file, faults, given).run();
}

/** What is malformed; caught inside this file only. */
interface Broken {
  readonly at: number;
  readonly wrong: string;
  readonly remedy: string;
  readonly code?: "unfilled-placeholder";
}

/** An element whose closing tag is still to come. */
interface Open {
  readonly name: string;
  readonly at: number;
}

const NAME = /[\p{L}_:][\p{L}\p{N}_:.-]*/uy;
const SPACE = /[ \t\r\n]*/y;
/** A value that ends so has swallowed the next line: its own closing quote is missing. */
const NEXT_ATTRIBUTE = /[\r\n][ \t]*[\p{L}_:][\p{L}\p{N}_:.-]*[ \t]*=[ \t]*$/u;
const CHARACTERS: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
};

class XmlScan {
  readonly #file: SourceFile;
  readonly #text: string;
  readonly #faults: Fault[];
  /** The names of all files. */
  readonly #given: readonly string[];
  readonly #assignments: Assignment[] = [];
  readonly #open: Open[] = [];
  #at: number;
  #roots = 0;
  #lineAt = 0;
  #line = 1;

  constructor(file: SourceFile, faults: Fault[], given: readonly string[]) {
    this.#given = given;
    this.#file = file;
    this.#text = file.text;
    this.#faults = faults;
    this.#at = file.text.startsWith("\uFEFF") ? 1 : 0;
  }

  run(): Assignment[] {
    const broken = this.#elements();
    if (broken) {
      const origin = this.#origin(Math.min(broken.at, this.#text.length), "(xml)");
      this.#faults.push(error(origin, broken.code ?? "not-read", broken.wrong, broken.remedy));
    }
    return this.#assignments;
  }

  /** Text between elements is passed over inside of the outermost one. */
  #elements(): Broken | undefined {
    for (;;) {
      const next = this.#text.indexOf("<", this.#at);
      const between = this.#text.slice(this.#at, next === -1 ? undefined : next);
      if (this.#open.length === 0 && between.trim() !== "") {
        return { at: this.#at, wrong: "there is text outside of any element", remedy: "delete it" };
      }
      if (next === -1) return this.#end();
      this.#at = next;
      const broken = this.#markup();
      if (broken) return broken;
    }
  }

  #end(): Broken | undefined {
    const at = this.#text.length;
    const [outer, last] = this.#open.slice(-2);
    if (last !== undefined && last.name === outer?.name) {
      const wrong = `<${last.name}> is opened again inside of itself, and not closed`;
      return { at: last.at, wrong, remedy: `write </${last.name}>` };
    }
    const name = this.#open.at(-1)?.name;
    if (name !== undefined) {
      return { at, wrong: `<${name}> is not closed`, remedy: `write </${name}>` };
    }
    if (this.#roots === 1) return undefined;
    return { at, wrong: "there is no element", remedy: "write one, for instance <polycomConfig>" };
  }

  /** At a `<`: comments and the like are skipped, tags are read. */
  #markup(): Broken | undefined {
    const text = this.#text;
    const at = this.#at;
    if (text.startsWith("<!--", at)) return this.#skip("-->", 4, "comment");
    if (text.startsWith("<?", at)) return this.#skip("?>", 2, "processing instruction");
    if (text.startsWith("<![CDATA[", at)) return this.#skip("]]>", 9, "CDATA section");
    if (text.startsWith("<!", at)) {
      return { at, wrong: "document types are not read", remedy: "delete the <! ... > part" };
    }
    return text[at + 1] === "/" ? this.#closing() : this.#opening();
  }

  #skip(end: string, from: number, what: string): Broken | undefined {
    const found = this.#text.indexOf(end, this.#at + from);
    if (found === -1)
      return { at: this.#at, wrong: `the ${what} has no end`, remedy: `write ${end}` };
    this.#at = found + end.length;
    return undefined;
  }

  #closing(): Broken | undefined {
    const start = this.#at;
    this.#at += 2;
    const name = this.#match(NAME);
    this.#match(SPACE);
    const open = this.#open.pop()?.name;
    if (name !== "" && name === open && this.#text[this.#at] === ">") {
      this.#at++;
      return undefined;
    }
    const remedy = open === undefined ? "delete it" : `write </${open}>`;
    return { at: start, wrong: "the closing tag does not fit what is open", remedy };
  }

  #opening(): Broken | undefined {
    const start = this.#at;
    this.#at++;
    const element = this.#match(NAME);
    if (element === "") {
      return {
        at: start,
        wrong: "a < begins no element here",
        remedy: "write &lt; for the character",
      };
    }
    if (this.#open.length === 0 && ++this.#roots > 1) {
      return {
        at: start,
        wrong: "there is a second outermost element",
        remedy: "put all into one",
      };
    }
    const seen = new Set<string>();
    for (;;) {
      const space = this.#match(SPACE);
      if (this.#text.startsWith("/>", this.#at)) {
        this.#at += 2;
        return undefined;
      }
      if (this.#text[this.#at] === ">") {
        this.#at++;
        this.#open.push({ name: element, at: start });
        return undefined;
      }
      const broken = this.#attribute(element, space !== "", seen);
      if (broken) return broken;
    }
  }

  /** XML 1.0 §3.1: white space before it, quotes around its value, no `<` in it, and its name once. */
  #attribute(element: string, spaced: boolean, seen: Set<string>): Broken | undefined {
    const start = this.#at;
    const key = this.#match(NAME);
    if (key === "" && isPlaceholder(/[^\r\n]*/.exec(this.#text.slice(start, start + 1000))![0])) {
      const wrong = "a template's own words stand here";
      return {
        at: start,
        wrong,
        remedy: "fill them in, or delete them",
        code: "unfilled-placeholder",
      };
    }
    if (key === "" || !spaced) {
      const wrong = `<${element} ...> is not closed, or an attribute of it is malformed`;
      return { at: start, wrong, remedy: 'write name="value" with spaces between, then > or />' };
    }
    this.#match(SPACE);
    const equals = this.#text[this.#at] === "=";
    this.#at++;
    this.#match(SPACE);
    const quote = this.#text[this.#at];
    if (!equals || (quote !== '"' && quote !== "'")) {
      return { at: start, wrong: `${key} has no value in quotes`, remedy: `write ${key}="..."` };
    }
    const end = this.#text.indexOf(quote, this.#at + 1);
    const raw = this.#text.slice(this.#at + 1, end === -1 ? undefined : end);
    const unread = raw.includes("<");
    if (end === -1 || NEXT_ATTRIBUTE.test(raw) || (unread && !isPlaceholder(raw))) {
      const remedy = `write ${quote} at its end, and &lt; for a < in it`;
      return { at: start, wrong: `the value of ${key} is not closed`, remedy };
    }
    this.#at = end + 1;
    const origin = this.#origin(start, key);
    if (unread) this.#faults.push(unfilled(origin, raw, looksSecret(key) ? MASK : undefined));
    const value = unread ? raw : this.#decode(raw, origin);
    if (/^CONFIG_FILES(_|$)/.test(key) && !this.#areGiven(key, value)) {
      this.#faults.push(notFollowed(origin, value.trim()));
    }
    const twice = seen.has(key) ? { twiceIn: element } : {};
    seen.add(key);
    const text = looksSecret(key) ? value : value.trim();
    this.#assignments.push({ ...origin, value: text, ...twice });
    return undefined;
  }

  /** CONFIG_FILES_SPIP300 and the like are for other models: whoever gives more than one file has chosen. */
  #areGiven(key: string, names: string): boolean {
    return areGiven(names, this.#given) || (key !== "CONFIG_FILES" && this.#given.length > 1);
  }

  /** XML 1.0 §4.6 and §3.3.3: five names, characters by number, and line ends become spaces. */
  #decode(raw: string, origin: Origin): string {
    return raw.replace(/[\t\r\n]/g, " ").replace(/&([^;&\s]{0,32};?)/g, (whole, entity: string) => {
      const name = entity.endsWith(";") ? entity.slice(0, -1) : "";
      const character = Object.hasOwn(CHARACTERS, name) ? CHARACTERS[name] : numbered(name);
      if (character !== undefined) return character;
      const remedy = "write &amp; for the character &, or one of &lt; &gt; &quot; &apos; &#...;";
      this.#faults.push(error(origin, "not-read", "an & in the value begins no entity", remedy));
      return whole;
    });
  }

  /** What the sticky pattern matches here, passed over; "" if nothing. */
  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? "";
    this.#at += found.length;
    return found;
  }

  /** Positions only grow, save for the last fault, so that counting lines takes one pass. */
  #origin(at: number, key: string): Origin {
    if (at < this.#lineAt) {
      this.#lineAt = 0;
      this.#line = 1;
    }
    const between = this.#text.slice(this.#lineAt, at);
    this.#line += between.match(/\r\n|\n|\r(?!\n|$)/g)?.length ?? 0;
    this.#lineAt = between.endsWith("\r") ? at - 1 : at;
    return { file: this.#file.name, line: this.#line, key };
  }
}

/** `#52` or `#x34` as its character, if XML may have it. */
function numbered(name: string): string | undefined {
  const match = /^#(?:x([0-9a-fA-F]{1,6})|(\d{1,7}))$/.exec(name);
  const code = match ? Number.parseInt(match[1] ?? match[2] ?? "", match[1] ? 16 : 10) : 0;
  const legal = code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
  return legal ? String.fromCodePoint(code) : undefined;
}
