/**
 * The event package `presence` (RFC 3856): what a user's devices have published, put together; where none has, whether
 * he is registered. A call that passes this proxy is seen as well.
 */
import {
  ON_THE_PHONE,
  PIDF_TYPE,
  type PresenceDocument,
  type PresenceTuple,
  printPresence,
} from "../dialog/subscription-presence.ts";
import type { Inquiry } from "../inquiry.ts";
import type { StoreAnswer } from "../vocabulary.ts";
import { type Binding, decodeBindings, isLive } from "./binding.ts";
import type { Domains } from "./domains.ts";
import type { NotifierPackage } from "./notifier-subscription.ts";
import {
  PUBLICATIONS_PREFIX,
  type PublishOutcome,
  publish,
  readPublications,
  type StoredPublications,
  type Wish,
} from "./publications.ts";

export interface PresenceParts {
  readonly domains: Domains;
  epochSeconds(): number;
  /** See RegisterDesk. */
  stands(key: string, bindings: readonly Binding[]): void;
  /** The user is in a call that passes here. */
  isTalking(resource: string): boolean;
  /** A publication that watchers were told of ends at this epoch second, if it is not refreshed. */
  endsAt(resource: string, second: number): void;
}

/** RFC 3856 §6.4. */
const DEFAULT_EXPIRES = 3_600;

export class PresencePackage implements NotifierPackage {
  readonly name = "presence";
  readonly contentType: string = PIDF_TYPE;
  readonly defaultExpires: number = DEFAULT_EXPIRES;
  readonly #parts: PresenceParts;

  constructor(parts: PresenceParts) {
    this.#parts = parts;
  }

  /** Colleagues may. */
  mayWatch(watcher: string | undefined): boolean {
    return watcher !== undefined;
  }

  *whole(resource: string): Inquiry<string> {
    const { domains } = this.#parts;
    const stored = yield* this.read(resource);
    if (stored === undefined) return "";
    const documents = stored.live.map(({ document }) => document);
    for (const { expires } of stored.live) this.#parts.endsAt(resource, expires);
    const published = tuplesOf(documents);
    const tuples = published.length > 0 ? published : yield* this.#registration(resource);
    if (tuples.length === 0) return "";
    const activities = new Set(documents.flatMap((document) => document.activities));
    if (this.#parts.isTalking(resource)) activities.add(ON_THE_PHONE);
    const notes = [...new Set(documents.flatMap((document) => document.notes))];
    const composed = { tuples, activities: [...activities], notes };
    return printPresence(`sip:${domains.name(resource)}`, composed);
  }

  /** Each body is the whole. */
  partial(resource: string): Inquiry<string> {
    return this.whole(resource);
  }

  /** Undefined: the store is not there. */
  read(resource: string): Inquiry<StoredPublications | undefined> {
    return readPublications(this.#key(resource), this.#parts.epochSeconds);
  }

  publish(resource: string, wish: Wish): Inquiry<PublishOutcome> {
    return publish(this.#key(resource), wish, this.#parts.epochSeconds);
  }

  /** None: the store is not there. */
  *#registration(resource: string): Inquiry<PresenceTuple[]> {
    const { domains } = this.#parts;
    const key = domains.key(resource);
    const read = (yield { kind: "store.read", key }) as StoreAnswer;
    if (read.kind !== "stored") return [];
    const live = decodeBindings(read.value, this.#parts.epochSeconds()).filter(isLive);
    this.#parts.stands(key, live);
    const there = live.length > 0;
    const contact = there ? `sip:${domains.name(resource)}` : "";
    return [{ id: "registration", basic: there ? "open" : "closed", contact, notes: [] }];
  }

  #key(resource: string): string {
    return PUBLICATIONS_PREFIX + this.#parts.domains.name(resource);
  }
}

/** Those of all devices, each under a name that no other has. */
function tuplesOf(documents: readonly PresenceDocument[]): PresenceTuple[] {
  const taken = new Set<string>();
  return documents.flatMap(({ tuples }) =>
    tuples.map((tuple) => {
      let id = tuple.id;
      for (let number = 2; id === "" || taken.has(id); number += 1) id = `${tuple.id}-${number}`;
      taken.add(id);
      return { ...tuple, id };
    }),
  );
}
