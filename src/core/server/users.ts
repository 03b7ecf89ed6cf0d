/** Who may register and call, with what secret (RFC 7616 §3.4.2), and who is called together. */
import { type DigestAlgorithm, secretOf } from "../message/digest.ts";
import { parseUri, type SipUri, unescapeUser, userKey } from "../message/uri.ts";
import type { Hash } from "../primitives.ts";
import { MAX_SECRETS } from "./limits.ts";

/** What this server challenges with; -sess variants add nothing where the secret is at hand. */
export type OfferedAlgorithm = Extract<DigestAlgorithm, "MD5" | "SHA-256">;

/** What is known of a user. */
export interface User {
  readonly name: string;
  readonly password: string | undefined;
  /** Hexadecimal digests of `user:realm:password` given instead of a password. */
  readonly ha1: { readonly [algorithm in OfferedAlgorithm]?: string };
  /** The user or URI whose box takes this user's calls. */
  readonly voicemail: string | undefined;
  /** Seconds that his phones ring before that; 20 unless said otherwise. */
  readonly voicemailAfter?: number | undefined;
  readonly groups: readonly string[];
}

/** Users who are found by a rule: a fleet has many. */
export interface Directory {
  readonly size: number;
  get(name: string): User | undefined;
}

/** The known users of one realm. */
export class Users {
  readonly #byName: Directory;
  readonly #groups = new Map<string, string[]>();
  /** What users name as their box, by its number. */
  readonly #boxes = new Map<string, Box[]>();
  readonly #ha1 = { MD5: new Map<string, string>(), "SHA-256": new Map<string, string>() };

  constructor(users: Iterable<User> | Directory) {
    if ("get" in users) {
      this.#byName = users;
      return;
    }
    const byName = new Map<string, User>();
    this.#byName = byName;
    for (const user of users) {
      const name = userKey(user.name);
      byName.set(name, user);
      if (user.voicemail !== undefined) this.#addBox(boxOf(user.voicemail));
      for (const group of user.groups.map(userKey)) {
        const members = this.#groups.get(group);
        if (members === undefined) this.#groups.set(group, [name]);
        else members.push(name);
      }
    }
  }

  get size(): number {
    return this.#byName.size;
  }

  /** @param name as `userKey` has it, as below. */
  get(name: string): User | undefined {
    return this.#byName.get(name);
  }

  /**
   * Whether that number is a box of ours and nobody's else: who calls it wants to hear his messages.
   * @param leadsHere whether a URI leads to this system.
   */
  isBox(number: string, leadsHere: (uri: SipUri) => boolean): boolean {
    const boxes = this.#boxes.get(number);
    if (boxes === undefined || this.#byName.get(number) !== undefined) return false;
    return boxes.some(({ uri }) => uri === undefined || leadsHere(uri));
  }

  /** Whether any user's calls are to be taken by a box of ours. */
  hasBoxes(leadsHere: (uri: SipUri) => boolean): boolean {
    return [...this.#boxes.keys()].some((number) => this.isBox(number, leadsHere));
  }

  /** The users who are called when `group` is; undefined if there is no such group. */
  members(group: string): readonly string[] | undefined {
    return this.#groups.get(group);
  }

  /**
   * H(user:realm:password), kept when it has been computed; undefined if the user is unknown or has no secret of that
   * algorithm.
   * @param name as the digest has it.
   */
  ha1(hash: Hash, name: string, realm: string, algorithm: OfferedAlgorithm): string | undefined {
    const secrets = this.#ha1[algorithm];
    const known = secrets.get(name);
    if (known !== undefined) return known;
    const user = this.#byName.get(userKey(name));
    if (user === undefined) return undefined;
    if (user.password === undefined) return user.ha1[algorithm];
    const ha1 = secretOf(hash, algorithm, name, realm, user.password);
    if (name !== user.name) return ha1;
    if (secrets.size >= MAX_SECRETS) secrets.clear();
    secrets.set(user.name, ha1);
    return ha1;
  }

  #addBox(box: Box): void {
    const boxes = this.#boxes.get(box.number);
    if (boxes === undefined) this.#boxes.set(box.number, [box]);
    // A thousand users name the same one.
    else if (box.uri !== undefined || boxes.every(({ uri }) => uri !== undefined)) boxes.push(box);
  }
}

/** The box that a user names, by number or URI. */
export interface Box {
  /** As `unescapeUser` has the user of a URI. */
  readonly number: string;
  /** Undefined: the number alone, which is ours. */
  readonly uri: SipUri | undefined;
}

/** Seconds of ringing before a box takes a call: long enough to be heard, and within Timer C (RFC 3261 §16.6). */
export const LEAST_VOICEMAIL_AFTER = 5;
export const MOST_VOICEMAIL_AFTER = 170;

export function mayRingFor(seconds: number): boolean {
  const within = seconds >= LEAST_VOICEMAIL_AFTER && seconds <= MOST_VOICEMAIL_AFTER;
  return Number.isInteger(seconds) && within;
}

/** Whether a text names a box: a user or number, or a SIP URI. */
export function isBoxName(text: string): boolean {
  return text.includes(":") ? parseUri(text) !== undefined : /^[^\s@;<>"\\]+$/.test(text);
}

export function boxOf(voicemail: string): Box {
  const uri = voicemail.includes(":") ? parseUri(voicemail) : undefined;
  return { number: uri === undefined ? userKey(voicemail) : unescapeUser(uri.user), uri };
}
