/**
 * The users file: YAML of user → password or HA1, voicemail and groups. The text is latin1 of the file's bytes, so
 * that a password counts as its UTF-8 bytes, as phones count it.
 */
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import type { Fault, SourceFile } from "../provisioning/configuration.ts";
import {
  isBoxName,
  LEAST_VOICEMAIL_AFTER,
  MOST_VOICEMAIL_AFTER,
  mayRingFor,
  type User,
  Users,
} from "./users.ts";

/** What a users file came to. */
export interface UsersReading {
  readonly users: Users;
  /** Every fault of the file at once. */
  readonly faults: readonly Fault[];
}

/** Reads a users file; with an `error` among the faults the users are not to be used. */
export function readUsers(source: SourceFile): UsersReading {
  const reader = new UsersReader(source);
  return { users: new Users(reader.read()), faults: reader.faults };
}

const KEYS = "password, ha1, ha1-sha256, voicemail, voicemail-after, groups";
const SHAPE = `write \`name: password\`, or \`name:\` with ${KEYS} below`;
const SECONDS = `${LEAST_VOICEMAIL_AFTER} to ${MOST_VOICEMAIL_AFTER}, seconds`;

class UsersReader {
  readonly faults: Fault[] = [];
  readonly #source: SourceFile;
  readonly #lines = new LineCounter();

  constructor(source: SourceFile) {
    this.#source = source;
  }

  read(): User[] {
    const document = parseDocument(this.#source.text, {
      lineCounter: this.#lines,
      schema: "failsafe",
    });
    for (const { pos, message } of document.errors) {
      this.#fault(pos[0], "(file)", message.split("\n")[0] as string, "correct the YAML");
    }
    if (this.faults.length > 0) return [];
    const root = document.contents;
    if (!isMap(root)) {
      this.#fault(0, "(file)", "is not a map of users", SHAPE);
      return [];
    }
    const users: User[] = [];
    for (const pair of root.items) {
      const user = this.#user(pair.key as Node, pair.value as Node | null);
      if (user !== undefined) users.push(user);
    }
    return users;
  }

  #user(key: Node, value: Node | null): User | undefined {
    const name = isScalar(key) ? String(key.value) : "";
    if (!/^[^\s@:;<>"\\]+$/.test(name)) {
      this.#faultAt(key, name, "is no user name", "write the part before the @ alone");
      return undefined;
    }
    if (isScalar(value) && value.value !== "" && value.value !== null) {
      return { name, password: String(value.value), ha1: {}, voicemail: undefined, groups: [] };
    }
    if (!isMap(value)) {
      this.#faultAt(value ?? key, name, "has no password", SHAPE);
      return undefined;
    }
    const fields = new Map<string, Node | null>();
    for (const pair of value.items) fields.set(String(pair.key), pair.value as Node | null);
    return this.#fields(name, key, fields);
  }

  #fields(name: string, key: Node, fields: Map<string, Node | null>): User | undefined {
    const password = this.#text(name, fields, "password", /^.+$/, "a password");
    const hex = (digits: number) => new RegExp(`^[0-9a-fA-F]{${digits}}$`);
    const md5 = this.#text(name, fields, "ha1", hex(32), "32 hexadecimal digits");
    const sha256 = this.#text(name, fields, "ha1-sha256", hex(64), "64 hexadecimal digits");
    const voicemail = this.#text(name, fields, "voicemail", isBoxName, "a user or SIP URI");
    const rings = (text: string) => mayRingFor(/^\d+$/.test(text) ? Number(text) : Number.NaN);
    const after = this.#text(name, fields, "voicemail-after", rings, SECONDS);
    const voicemailAfter = after === undefined ? undefined : Number(after);
    const groups = this.#groups(name, fields.get("groups"));
    for (const [field, node] of fields) {
      if (!KEYS.split(", ").includes(field)) {
        this.#faultAt(node ?? key, `${name}.${field}`, "is not a key of a user", SHAPE);
      }
    }
    const secretWrong = [...fields.keys()].some((field) => /^(password|ha1)/.test(field));
    if (password === undefined && md5 === undefined && sha256 === undefined) {
      if (!secretWrong) this.#faultAt(key, name, "has neither password nor ha1", SHAPE);
      return undefined;
    }
    const ha1 = {
      ...(md5 === undefined ? {} : { MD5: md5.toLowerCase() }),
      ...(sha256 === undefined ? {} : { "SHA-256": sha256.toLowerCase() }),
    };
    return { name, password, ha1, voicemail, voicemailAfter, groups };
  }

  #text(
    name: string,
    fields: Map<string, Node | null>,
    field: string,
    pattern: RegExp | ((text: string) => boolean),
    wanted: string,
  ): string | undefined {
    if (!fields.has(field)) return undefined;
    const node = fields.get(field);
    const text = isScalar(node) ? String(node.value ?? "") : "";
    const fits = typeof pattern === "function" ? pattern(text) : pattern.test(text);
    if (fits) return text;
    this.#faultAt(node ?? null, `${name}.${field}`, "is wrong", `write ${wanted}`);
    return undefined;
  }

  #groups(name: string, node: Node | null | undefined): string[] {
    if (node === undefined || node === null) return [];
    const items = isSeq(node) ? node.items : [node];
    const groups: string[] = [];
    for (const item of items) {
      const group = isScalar(item) ? String(item.value ?? "") : "";
      if (/^[^\s@:;<>"\\]+$/.test(group)) groups.push(group);
      else this.#faultAt(item as Node, `${name}.groups`, "is no group name", "write [name, name]");
    }
    return groups;
  }

  #faultAt(node: Node | null, key: string, wrong: string, remedy: string): void {
    this.#fault(node?.range?.[0] ?? 0, key, wrong, remedy);
  }

  #fault(offset: number, key: string, wrong: string, remedy: string): void {
    const line = Math.max(1, this.#lines.linePos(offset).line);
    this.faults.push({ file: this.#source.name, line, key, severity: "error", wrong, remedy });
  }
}
