/** Puts questions to a resolver in tests, and shows its answers. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { DnsAnswer, DnsQuestion, RecordType } from "../../src/core/vocabulary.ts";
import type { Resolver } from "../../src/worlds/node/resolver.ts";

export const HOST = "127.0.0.1";

export function lookup(
  resolver: Resolver,
  name: string,
  type: RecordType,
  withinMs?: number,
): Promise<DnsAnswer> {
  const question: DnsQuestion = { kind: "dns", name, type };
  const bounded = withinMs === undefined ? question : { ...question, withinMs };
  return new Promise((answered) => resolver.ask(bounded, answered));
}

export const addresses = (answer: DnsAnswer): string[] =>
  answer.kind === "records"
    ? answer.records.map((record) => ("address" in record ? record.address : record.type))
    : [answer.kind];

/** A UDP port of the loopback address that nothing listens on. */
export async function closedPort(): Promise<number> {
  const socket = createSocket("udp4").bind(0, HOST);
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  return port;
}
