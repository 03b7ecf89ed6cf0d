/** What the servers of a town know of a user. */
import type { Instant, Peer } from "../../../core/machine.ts";
import { type Binding, decodeBindings } from "../../../core/server/binding.ts";
import { EPOCH_MS, type Town } from "../town.ts";
import { DOMAIN } from "./plan.ts";

/** Where a registration at a configured server, 1-based, stands. */
export interface Standing {
  readonly server: number;
  readonly peer: Peer;
}

/**
 * Whether the server at an address has a live binding of a user.
 * @param of the registration whose binding it must be; undefined: any.
 */
export function holdsBinding(
  town: Town,
  now: Instant,
  address: string,
  user: string,
  of?: Standing,
): boolean {
  for (const { spec, store } of town.servers) {
    if (spec.address !== address) continue;
    const answer = store.ask({ kind: "store.read", key: `aor/${user}@${DOMAIN}` });
    if (answer.kind !== "stored") return true;
    const seconds = (now + EPOCH_MS) / 1000;
    return decodeBindings(answer.value, seconds).some(
      (binding) => binding.expires > seconds && (of === undefined || isOf(binding, of)),
    );
  }
  return false;
}

/**
 * Over the same flow there may be what a second flow has left: the registrar behind all proxies replaces it under its
 * own reg-id (RFC 5626 §4.2.1). Contacts without a transport are those of UDP.
 */
function isOf({ uri, flowKey }: Binding, { server, peer }: Standing): boolean {
  const { transport, localAddress, localPort } = peer;
  if (!uri.includes(`@${localAddress}:${localPort}`)) return false;
  if (flowKey !== "" && !flowKey.endsWith(` ${server}`)) return false;
  return transport === "udp"
    ? !uri.includes(";transport=")
    : uri.includes(`;transport=${transport}`);
}
