/** Whether some process has a port, as Linux tells (/proc/net): the only sign that programs of others are ready. */
import { readFileSync } from "node:fs";

const LISTENING = { udp: "07", tcp: "0A" } as const;

/** Of an IPv4 address; @param own a process in the network that is asked about. */
export function isBound(
  address: string,
  port: number,
  transport: "udp" | "tcp",
  own: number | "self" = "self",
): boolean {
  const bytes = address.split(".").map((byte) => Number(byte).toString(16).padStart(2, "0"));
  const local = `${bytes.reverse().join("")}:${port.toString(16).padStart(4, "0")}`.toUpperCase();
  const table = readFileSync(`/proc/${own}/net/${transport}`, "latin1");
  return table.split("\n").some((line) => {
    const [, place, , state] = line.trim().split(/\s+/);
    return place === local && state === LISTENING[transport];
  });
}
