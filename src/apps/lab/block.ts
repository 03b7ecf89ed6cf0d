/** Finds a block of loopback addresses (`addresses.ts`) that nobody uses. */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { StageFault } from "../scenario/stage.ts";
import { type Block, loopbackBlock, type Place, plainBlock } from "./addresses.ts";

/** Blocks tried before giving up. */
const BLOCKS = 32;

/** Hands out blocks that no other lab has, in this process or another, and whose ports are free. */
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
      const claimed = await claim(block);
      const found = typeof claimed === "string" ? claimed : await firstTaken(block, servers);
      const release = (): void => {
        this.#used.delete(number);
        if (typeof claimed !== "string") claimed.close();
      };
      if (found === undefined) return { block, release };
      release();
      taken = found;
    }
    throw new StageFault(taken);
  }
}

/**
 * A socket that stands for the whole block as long as it is bound, or why it cannot be had. Ports that are only looked
 * at are still free for a lab that begins at the same moment; and whatever ends a process gives its sockets back.
 */
async function claim({ name, resolver }: Block): Promise<Socket | string> {
  const socket = createSocket("udp4");
  try {
    socket.bind(resolver.port + 1, resolver.address);
    await once(socket, "listening");
    return socket.unref();
  } catch (error) {
    socket.close();
    return `another lab has ${name}: udp ${resolver.address}:${resolver.port + 1}: ${codeOf(error)}`;
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
    return codeOf(error);
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}
