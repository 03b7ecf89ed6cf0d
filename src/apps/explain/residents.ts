/** Those around the phone that is rehearsed: whom it calls, and who asks for it. */
import type { AccountPolicy } from "../../core/redundancy/policy.ts";
import {
  defaultAccount,
  defaultPolicy,
  defaultServer,
  PLAIN,
} from "../../core/redundancy/policy-defaults.ts";
import { BACK_PORT, domainOf, type GroundServer, type Grounds } from "./grounds.ts";

/** Whom the phone calls. */
export const ECHO = "dialtone-echo";
const WATCHER = "dialtone-watcher";

/**
 * The accounts of one phone that is called, with a registration at each place where it is looked for, and that asks at
 * each.
 * @param desk a working server that never fails.
 */
export function residentsOf(
  account: AccountPolicy,
  grounds: Grounds,
  desk: string,
): AccountPolicy[] {
  const accounts: AccountPolicy[] = grounds.servers.map(({ spec, server }, position) => {
    const domain = domainOf(account, account.redundancy.servers[server - 1] as never);
    return residentAt(spec.address, WATCHER, domain, watcherIndex(position), false);
  });
  const own = grounds.servers.filter(({ spec }) => spec.location === "own");
  const homes = [
    ...grounds.domains.map((domain) => ({ address: desk, domain })),
    ...own.map(({ spec, server }) => ({
      address: spec.address,
      domain: domainOf(account, account.redundancy.servers[server - 1] as never),
    })),
  ];
  for (const { address, domain } of homes) {
    accounts.push(residentAt(address, ECHO, domain, accounts.length + 1, true));
  }
  return accounts;
}

/** At which of them people ask for the phone: the first that lives, of those where it registers if one is left. */
export function askedServer(
  { redundancy }: AccountPolicy,
  servers: readonly GroundServer[],
  lives: (server: GroundServer) => boolean,
): GroundServer | undefined {
  const registers = ({ server }: GroundServer): boolean =>
    redundancy.servers[server - 1]?.register === true;
  return servers.find((one) => lives(one) && registers(one)) ?? servers.find(lives);
}

/** The account that asks at the server in this place of the grounds. */
export function watcherIndex(position: number): number {
  return position + 1;
}

function residentAt(
  address: string,
  user: string,
  domain: string,
  index: number,
  register: boolean,
): AccountPolicy {
  const server = defaultServer(address, { port: BACK_PORT, transport: "udp", register });
  const policy = { ...defaultPolicy(server), ...PLAIN, startSurgeMs: 0, keepAliveMs: 0 };
  return defaultAccount(user, policy, { domain, index });
}
