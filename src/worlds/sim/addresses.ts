/** The addresses of a simulated machine: a few that are listed, or a block for a fleet, which need not be. */

/** Many addresses that follow a rule. */
export interface AddressBlock {
  /** The first is 0. */
  at(number: number): string;
  has(address: string): boolean;
}

export type HostAddresses = readonly string[] | AddressBlock;

export function isBlock(addresses: HostAddresses): addresses is AddressBlock {
  return "has" in addresses;
}

export function includes(addresses: HostAddresses, address: string): boolean {
  return isBlock(addresses) ? addresses.has(address) : addresses.includes(address);
}

/** One of the same family as the peer's, where there is one. */
export function addressFor(addresses: HostAddresses, remote: string): string {
  if (isBlock(addresses)) return addresses.at(0);
  const six = remote.includes(":");
  const fitting = addresses.find((address) => address.includes(":") === six);
  return fitting ?? addresses[0] ?? remote;
}
