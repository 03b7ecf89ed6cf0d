/** Readers of values that flags of several commands have. */
import { InvalidArgumentError } from "commander";

/** A whole number from `least` to `most`; commander tells the operator otherwise. */
export function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`write a whole number from ${least} to ${most}`);
  };
}

/** An address and a port to listen at. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** `HOST:PORT`, IPv6 in brackets; undefined: it is none. */
export function splitHostPort(text: string): HostPort | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([\w.-]+)):(\d{1,5})$/.exec(text);
  const [host, port] = [match?.[1] ?? match?.[2], Number(match?.[3])];
  return host !== undefined && port <= 65_535 ? { host, port } : undefined;
}

/** Reads `HOST:PORT`; port 0 lets the system choose. */
export function hostPort(text: string): HostPort {
  const split = splitHostPort(text);
  if (split !== undefined) return split;
  throw new InvalidArgumentError("write HOST:PORT, for instance 127.0.0.1:7060");
}

/** A week. */
const MOST_HOURS = 168;

/** Hours of virtual time, parts of one allowed. */
export function hoursOf(text: string): number {
  const hours = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && hours > 0 && hours <= MOST_HOURS) return hours;
  throw new InvalidArgumentError(`write hours, more than 0 and at most ${MOST_HOURS}`);
}
