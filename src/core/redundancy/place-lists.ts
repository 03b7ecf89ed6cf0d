/** One object for equal lists of places: the phones of a fleet have few servers between them. */
import { MAX_PLACE_LISTS, MAX_SHARED_SERVERS } from "./limits.ts";
import type { ServerPolicy } from "./policy.ts";
import type { Place } from "./server-set.ts";

export class PlaceLists {
  /** The latest last. */
  readonly #byServer = new Map<ServerPolicy, (readonly Place[])[]>();

  /** The list that was given before and is equal, or this one. */
  same(server: ServerPolicy, places: readonly Place[]): readonly Place[] {
    const lists = this.#byServer.get(server) ?? this.#begin(server);
    for (let index = lists.length - 1; index >= 0; index -= 1) {
      const known = lists[index];
      if (known !== undefined && areEqual(known, places)) return known;
    }
    if (lists.length >= MAX_PLACE_LISTS) lists.shift();
    lists.push(places);
    return places;
  }

  #begin(server: ServerPolicy): (readonly Place[])[] {
    if (this.#byServer.size >= MAX_SHARED_SERVERS) this.#byServer.clear();
    const lists: (readonly Place[])[] = [];
    this.#byServer.set(server, lists);
    return lists;
  }
}

function areEqual(some: readonly Place[], others: readonly Place[]): boolean {
  if (some.length !== others.length) return false;
  return some.every((one, index) => {
    const other = others[index] as Place;
    return (
      one.target === other.target &&
      one.hop === other.hop &&
      one.server === other.server &&
      one.expiresAt === other.expiresAt
    );
  });
}
