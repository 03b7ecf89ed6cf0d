/**
 * A block of loopback addresses for one topology: 127.0.N.13 primary, .14 secondary, .15 fallback, phones from
 * .21, the resolver at .53, so that several scenarios run side by side. Where the system has 127.0.0.1 only,
 * everything stands there, on ports of its own.
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { StageFault } from "../scenario/stage.ts";

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
/** Blocks tried before giving up. */
const BLOCKS = 32;

/** The block 127.0.N.x. */
export function loopbackBlock(number: number): Block {
  const address = (last: number): string => `127.0.${number}.${last}`;
  return {
    name: `127.0.${number}.x`,
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

/** Hands out blocks that nobody in this process uses and whose ports are free. */
export class Blocks {
  readonly #used = new Set<number>();
  readonly #first: number;
  #plain: boolean | undefined;

  /** @param first of the numbers that are tried: for those who want to be out of others' way. */
  constructor(first: number = 0) {
    this.#first = first;
  }

  /**
   * @param only this block and no other; undefined: the first that is free.
   * @throws StageFault naming the address that is taken.
   */
  async take(
    only: number | undefined,
    servers: readonly string[],
  ): Promise<{ block: Block; release: () => void }> {
    this.#plain ??= (await trouble("udp", { address: "127.0.0.13", port: 0 })) !== undefined;
    const numbers =
      only === undefined ? Array.from({ length: BLOCKS }, (_, n) => this.#first + n) : [only];
    let taken = "no block of loopback addresses is free";
    for (const number of numbers) {
      if (this.#used.has(number)) continue;
      this.#used.add(number);
      const block = this.#plain ? plainBlock(number) : loopbackBlock(number);
      const found = await firstTaken(block, servers);
      if (found === undefined) return { block, release: () => void this.#used.delete(number) };
      this.#used.delete(number);
      taken = found;
    }
    throw new StageFault(taken);
  }
}

async function firstTaken(block: Block, servers: readonly string[]): Promise<string | undefined> {
  const places = [block.resolver, ...servers.map((name, index) => block.server(name, index))];
  for (const place of places) {
    for (const transport of ["udp", "tcp"] as const) {
      const why = await trouble(transport, place);
      if (why !== undefined)
        return `${transport} ${place.address}:${place.port} cannot be had: ${why}`;
    }
  }
  return undefined;
}

/** Tries an address and lets it go again; undefined if it can be had. */
async function trouble(transport: "udp" | "tcp", place: Place): Promise<string | undefined> {
  try {
    if (transport === "udp") {
      const socket = createSocket("udp4");
      socket.bind(place.port, place.address);
      await once(socket, "listening");
      await new Promise<void>((done) => socket.close(done));
    } else {
      const server = createServer();
      server.listen(place.port, place.address);
      await once(server, "listening");
      await new Promise((done) => server.close(done));
    }
    return undefined;
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}
