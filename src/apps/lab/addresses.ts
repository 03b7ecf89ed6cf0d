/**
 * A block of loopback addresses for one topology: 127.0.N.13 primary, .14 secondary, .15 fallback, phones from
 * .21, the resolver at .53, so that several scenarios run side by side. Where the system has 127.0.0.1 only,
 * everything stands there, on ports of its own.
 */

export interface Place {
  readonly address: string;
  readonly port: number;
}

export interface Block {
  /** What people call it: `127.0.0.x`. */
  readonly name: string;
  readonly resolver: Place;
  server(name: string, index: number): Place;
  /** Phones let the system choose their ports. */
  phone(index: number): Place;
}

const SIP_PORT = 5060;
const DNS_PORT = 5300;
const LAST_BYTE: Readonly<Record<string, number>> = { primary: 13, secondary: 14, fallback: 15 };
const FIRST_OTHER_SERVER = 16;
const FIRST_PHONE = 21;
const RESOLVER = 53;
/** Phones end before the resolver's address would be reached twice. */
const LAST_PHONE = 250;
const PLAIN_FIRST_PORT = 15_060;

/** The block 127.0.N.x. */
export function loopbackBlock(number: number): Block {
  return blockBelow(`127.0.${number}`);
}

/** For nodes that have a network each, which leads nowhere else: those for documentation (RFC 5737). */
export function networkBlock(): Block {
  return blockBelow("192.0.2");
}

function blockBelow(prefix: string): Block {
  const address = (last: number): string => `${prefix}.${last}`;
  return {
    name: `${prefix}.x`,
    resolver: { address: address(RESOLVER), port: DNS_PORT },
    server: (name, index) => ({
      address: address(LAST_BYTE[name] ?? FIRST_OTHER_SERVER + index),
      port: SIP_PORT,
    }),
    phone: (index) => {
      const last = FIRST_PHONE + index;
      return { address: address(last < RESOLVER ? last : Math.min(last + 1, LAST_PHONE)), port: 0 };
    },
  };
}

/** Everything at 127.0.0.1: for systems that have no other loopback address. */
export function plainBlock(number: number): Block {
  const first = PLAIN_FIRST_PORT + number * 20;
  return {
    name: `127.0.0.1 from port ${first}`,
    resolver: { address: "127.0.0.1", port: first },
    server: (_name, index) => ({ address: "127.0.0.1", port: first + 2 + index * 2 }),
    phone: () => ({ address: "127.0.0.1", port: 0 }),
  };
}
