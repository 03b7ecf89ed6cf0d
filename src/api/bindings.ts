/** The bindings that a store holds, as people and programs read them. */
import { decodeBindings, isLive, readHolder, secondsLeft } from "../core/server/binding.ts";
import { nameOfKey } from "../core/server/domains.ts";
import type { Store } from "../worlds/node/stores/store.ts";

/** Where one phone of a user is reached. */
export interface BindingEntry {
  /** The URI of its Contact. */
  readonly contact: string;
  /** The parameters of its Contact, with the leading semicolon, or empty. */
  readonly parameters: string;
  /** Seconds left. */
  readonly expires: number;
  /** Where its REGISTER came from: `udp:192.0.2.7:5060`. */
  readonly source: string;
  /** The node that it came to. */
  readonly node: string;
  /** The Path vector (RFC 3327), or empty. */
  readonly path: string;
  readonly userAgent: string;
}

/** All phones of one user. */
export interface BindingsOfUser {
  readonly aor: string;
  readonly bindings: readonly BindingEntry[];
}

/** Those that have a binding, in no promised order, each as it is when reached. */
export async function* bindingsIn(store: Store): AsyncGenerator<BindingsOfUser, void> {
  const present = store.epochSeconds();
  for await (const { key, value } of store.scan("aor/")) {
    const live = decodeBindings(value, present).filter(isLive);
    if (live.length === 0) continue;
    const bindings = live.map(({ uri, parameters, expires, holder, path, userAgent }) => ({
      contact: uri,
      parameters,
      expires: secondsLeft(expires, present),
      source: readHolder(holder).source,
      node: readHolder(holder).node,
      path,
      userAgent,
    }));
    yield { aor: nameOfKey(key), bindings };
  }
}
