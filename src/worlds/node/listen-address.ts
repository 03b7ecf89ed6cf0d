/** Addresses to listen on, as people write them. */
import { isIP } from "node:net";
import type { Local, TransportName } from "../../core/machine.ts";

const TRANSPORTS: readonly string[] = ["udp", "tcp", "tls", "ws", "wss"];

/** `udp:127.0.0.1:5060`, `tcp:[::1]:5060`; undefined if it is none. */
export function readLocal(text: string): Local | undefined {
  const match = /^([a-z]+):(?:\[([0-9a-f:.]+)\]|([0-9.]+)):(\d{1,5})$/i.exec(text);
  if (match === null) return undefined;
  const [, transport = "", six, four, digits] = match;
  const address = six ?? (four as string);
  const port = Number(digits);
  const known = TRANSPORTS.includes(transport.toLowerCase());
  if (!known || isIP(address) === 0 || port > 65_535) return undefined;
  return { transport: transport.toLowerCase() as TransportName, address, port };
}
