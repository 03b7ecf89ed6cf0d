/** What stands between a configuration and a running phone on this machine: its name, its resolver, its origins. */
import { createHash } from "node:crypto";
import { hostname } from "node:os";
import type { PhoneConfig } from "../core/phone/phone-config.ts";
import type { PhoneConfiguration } from "../core/provisioning/configuration.ts";
import type { ResolverOptions } from "../worlds/node/resolver.ts";
import { readServers } from "../worlds/node/resolver-servers.ts";

/** The transports of a phone on real sockets. */
export const SUPPORTED: PhoneConfig["supported"] = ["udp", "tcp", "tls", "ws", "wss"];

/** The same for the same phone on the same machine, as RFC 5626 §4.1 wants: a name-based UUID (RFC 4122 §4.3). */
export function instanceOf({ accounts }: Pick<PhoneConfiguration, "accounts">): string {
  const users = accounts.map((account) => account.user).join(" ");
  const digest = createHash("sha1").update(`dialtone ${hostname()} ${users}`).digest();
  digest[6] = ((digest[6] ?? 0) & 0x0f) | 0x50;
  digest[8] = ((digest[8] ?? 0) & 0x3f) | 0x80;
  const hex = digest.toString("hex");
  const parts = [
    [0, 8],
    [8, 12],
    [12, 16],
    [16, 20],
    [20, 32],
  ] as const;
  return `urn:uuid:${parts.map(([from, to]) => hex.slice(from, to)).join("-")}`;
}

/** @param named resolvers instead of those of the configuration; `wrong`: those that cannot be read. */
export function resolverOptions(
  configuration: PhoneConfiguration,
  named: readonly string[] | undefined,
): { options: ResolverOptions; wrong: readonly string[] } {
  const dns = configuration.accounts[0]?.redundancy.dns;
  const texts = named ?? configuration.resolvers;
  const { servers, wrong } = readServers(texts);
  const patience =
    dns === undefined
      ? {}
      : { timeoutMs: dns.timeoutMs, retries: dns.retries, transport: dns.transport };
  return { options: { ...(texts.length === 0 ? {} : { servers }), ...patience }, wrong };
}
