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

/** A week. */
const MOST_HOURS = 168;

/** Hours of virtual time, parts of one allowed. */
export function hoursOf(text: string): number {
  const hours = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && hours > 0 && hours <= MOST_HOURS) return hours;
  throw new InvalidArgumentError(`write hours, more than 0 and at most ${MOST_HOURS}`);
}
