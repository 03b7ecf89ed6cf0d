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
