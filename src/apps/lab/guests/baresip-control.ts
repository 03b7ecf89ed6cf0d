/** baresip's control port (module ctrl_tcp): netstrings of JSON, commands in one direction, answers and events in the other. */
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { MOST_HELD } from "./limits.ts";

/** Where it listens, at baresip's own address. */
export const CONTROL_PORT = 4444;

/** `{event: true, type: "CALL_ESTABLISHED", …}` or `{response: true, ok: true, token: "1", …}`. */
export type BaresipMessage = Readonly<Record<string, unknown>>;

/** Undefined: nobody listens there, which is so until its modules are loaded. */
export async function dialPort(address: string, port: number): Promise<Socket | undefined> {
  const socket = connect(port, address);
  const connected = await new Promise<boolean>((done) => {
    socket.once("connect", () => done(true));
    // Later it means that baresip has ended, which its process tells.
    socket.on("error", () => done(false));
  });
  return connected ? socket : undefined;
}

export class BaresipControl {
  readonly #line: Duplex;
  readonly #told: (message: BaresipMessage) => void;
  #held = "";

  /** @param line to its control port. */
  constructor(line: Duplex, told: (message: BaresipMessage) => void) {
    this.#line = line;
    this.#told = told;
    line.setEncoding("utf8").on("data", (chunk: string) => this.#read(chunk));
  }

  /** `dial`, `accept`, `hangup`: as its menu has them. The answer carries the token. */
  command(command: string, params: string, token = ""): void {
    const text = JSON.stringify({ command, params, token });
    this.#line.write(`${text.length}:${text},`);
  }

  #read(chunk: string): void {
    this.#held += chunk;
    for (;;) {
      const colon = this.#held.indexOf(":");
      const end = colon + 1 + Number(this.#held.slice(0, colon));
      if (colon < 0 || this.#held.length <= end) break;
      const text = this.#held.slice(colon + 1, end);
      this.#held = this.#held.slice(end + 1);
      const message = messageOf(text);
      if (message !== undefined) this.#told(message);
    }
    if (this.#held.length > MOST_HELD) this.#held = "";
  }
}

function messageOf(text: string): BaresipMessage | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as BaresipMessage) : undefined;
  } catch {
    // baresip 1.0 escapes nothing in what peers send: such an event is lost.
    return undefined;
  }
}
