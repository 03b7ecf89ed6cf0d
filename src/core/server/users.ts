/** Who may register and call, with what secret (RFC 7616 §3.4.2), and who is called together. */
import { type DigestAlgorithm, secretOf } from "../message/digest.ts";
import { parseUri, unescapeUser, userKey } from "../message/uri.ts";
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
  /** The hosts of what users name as their box, by its number; empty where they name the number alone. */
  readonly #boxes = new Map<string, Set<string>>();
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
   * @param serves whether a host is ours.
   */
  isBox(number: string, serves: (host: string) => boolean): boolean {
    const hosts = this.#boxes.get(number);
    if (hosts === undefined || this.#byName.get(number) !== undefined) return false;
    return [...hosts].some((host) => host === "" || serves(host));
  }

  /** Whether any user's calls are to be taken by a box of ours. */
  hasBoxes(serves: (host: string) => boolean): boolean {
    return [...this.#boxes.keys()].some((number) => this.isBox(number, serves));
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

  #addBox({ number, host }: Box): void {
    const hosts = this.#boxes.get(number);
    if (hosts === undefined) this.#boxes.set(number, new Set([host]));
    else hosts.add(host);
  }
}

/** The box that a user names, by number or URI. */
export interface Box {
  /** As `unescapeUser` has the user of a URI. */
  readonly number: string;
  /** Empty: ours. */
  readonly host: string;
}

export function boxOf(voicemail: string): Box {
  const uri = voicemail.includes(":") ? parseUri(voicemail) : undefined;
  if (uri === undefined) return { number: userKey(voicemail), host: "" };
  return { number: unescapeUser(uri.user), host: uri.host };
}
