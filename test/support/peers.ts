/** Finds the real peers a test claims to run against; where one is absent the test is skipped aloud. */
import { findCommand } from "../../src/apps/lab/guests/find-command.ts";
import { whatCellsLack } from "../../src/apps/lab/network/cell.ts";

export type PeerName =
  | "kamailio"
  | "sipp"
  | "baresip"
  | "linphonec"
  | "dnsmasq"
  | "redis-server"
  | "tshark"
  | "chromium";

/** The full path of a peer's program, or undefined. */
export function findPeer(name: PeerName): string | undefined {
  return findCommand(name);
}

/**
 * Options for node:test: `{ skip: "…" }` naming each absent peer, or none when all are here.
 * @throws Error when a peer is absent and DIALTONE_PEERS=required (CI).
 */
export function needs(...names: PeerName[]): { skip: string } | Record<string, never> {
  const absent = names.filter((name) => findPeer(name) === undefined);
  if (absent.length === 0) return {};
  const reason = `${absent.join(", ")} not installed`;
  if (process.env.DIALTONE_PEERS === "required") throw new Error(`${reason}, but required`);
  return { skip: reason };
}

/**
 * As `needs`, and each node may have a network of its own. Where the kernel, or the rights of this user, allow none
 * the test is skipped aloud wherever it runs: nothing that could be installed would help.
 */
export function needsNetworks(...names: PeerName[]): { skip: string } | Record<string, never> {
  const lacks = whatCellsLack();
  return lacks === undefined ? needs(...names) : { skip: lacks };
}
