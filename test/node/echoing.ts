/** A driver whose machine talks to an echoing peer, for tests of what befalls packets. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { Driver } from "../../src/worlds/node/driver.ts";
import type { Rule } from "../../src/worlds/node/faults.ts";
import { Recorder } from "./recorder.ts";

export interface Echoing {
  readonly machine: Recorder;
  readonly driver: Driver;
  /** What was seen on its way out, or came in past the rule. */
  readonly captured: readonly string[];
  end(): Promise<void>;
}

/** Over UDP; flow 1 is open when it resolves. */
export async function echoing(rule?: Rule): Promise<Echoing> {
  const peer = createSocket("udp4");
  peer.on("message", (bytes, from) => peer.send(bytes, from.port, from.address));
  peer.bind(0, "127.0.0.1");
  await once(peer, "listening");
  return connected("udp", peer.address().port, rule, () => peer.close());
}

/** The same over TCP; `ended` is how the peer's side of it ended. */
export async function echoingStream(): Promise<Echoing & { readonly ended: Promise<string> }> {
  let over: (how: string) => void = () => undefined;
  const ended = new Promise<string>((told) => {
    over = told;
  });
  const server = createServer((socket) => {
    socket.on("error", (error: NodeJS.ErrnoException) => over(error.code ?? error.message));
    socket.on("close", () => over("closed")).pipe(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const bound = server.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : 0;
  return { ...(await connected("tcp", port, undefined, () => server.close())), ended };
}

async function connected(
  transport: "udp" | "tcp",
  port: number,
  rule: Rule | undefined,
  close: () => void,
): Promise<Echoing> {
  const machine = new Recorder();
  const captured: string[] = [];
  const driver = new Driver(machine, {
    ...(rule === undefined ? {} : { rule }),
    capture: (direction, peer, bytes, over) =>
      captured.push(`${direction} ${over} ${peer.port === port} ${Buffer.from(bytes)}`),
  });
  const target = { transport, address: "127.0.0.1", port };
  driver.run(() => machine.outbox.open(1, target, { from: 0, connected: true }));
  await machine.until("opened");
  const end = async (): Promise<void> => {
    await driver.stop();
    close();
  };
  return { machine, driver, captured, end };
}
