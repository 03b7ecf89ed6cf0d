/** What the servers of a town know of a user. */
import type { Instant, Peer } from "../../../core/machine.ts";
import { decodeBindings } from "../../../core/server/binding.ts";
import { EPOCH_MS, type Town } from "../town.ts";
import { DOMAIN } from "./plan.ts";

/**
 * Whether the server at an address has a live binding of a user.
 * @param peer the flow whose binding it must be; undefined: any.
 */
export function holdsBinding(
  town: Town,
  now: Instant,
  address: string,
  user: string,
  peer?: Peer,
): boolean {
  const place = peer === undefined ? "" : `@${peer.localAddress}:${peer.localPort}`;
  for (const { spec, store } of town.servers) {
    if (spec.address !== address) continue;
    const answer = store.ask({ kind: "store.read", key: `aor/${user}@${DOMAIN}` });
    if (answer.kind !== "stored") return true;
    const seconds = (now + EPOCH_MS) / 1000;
    return decodeBindings(answer.value, seconds).some(
      ({ expires, uri }) => expires > seconds && uri.includes(place) && isOver(uri, peer),
    );
  }
  return false;
}

/** Contacts without a transport are those of UDP. */
function isOver(uri: string, peer: Peer | undefined): boolean {
  if (peer === undefined) return true;
  if (peer.transport === "udp") return !uri.includes(";transport=");
  return uri.includes(`;transport=${peer.transport}`);
}
