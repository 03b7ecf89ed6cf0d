/** Flags that mean nothing beside the others: they are refused rather than passed over. */
import type { Command } from "commander";
import { EXIT, exitWith } from "./exit.ts";

/** One thing that a command does. */
export interface Mode {
  /** The flags that choose it, all of them, without their dashes; none: what is done otherwise. */
  readonly by: readonly string[];
  /** The others that mean something then. */
  readonly takes: readonly string[];
}

/** Ends the process with exit 2 if a flag of this command line means nothing in the first mode that it chooses. */
export function refuseIdleFlags(command: Command, modes: readonly Mode[]): void {
  const given = command.options
    .filter((option) => command.getOptionValueSource(option.attributeName()) === "cli")
    .map((option) => option.name());
  const faults = idleFlags(given, modes);
  if (faults.length > 0) exitWith(EXIT.wrongInput, ...faults);
}

/** A line for each flag that means nothing. */
export function idleFlags(given: readonly string[], modes: readonly Mode[]): string[] {
  const chosen = modes.find(({ by }) => by.every((flag) => given.includes(flag)));
  if (chosen === undefined) return [];
  const { by, takes } = chosen;
  const idle = given.filter((flag) => !by.includes(flag) && !takes.includes(flag));
  return idle.map((flag) => `command line: --${flag}: ${why(flag, by, modes)}`);
}

function why(flag: string, by: readonly string[], modes: readonly Mode[]): string {
  if (by.length > 0) return `means nothing with ${dashed(by)}; leave it out`;
  const ways = modes
    .filter((mode) => [...mode.by, ...mode.takes].includes(flag))
    .map((mode) => mode.by.filter((one) => one !== flag));
  const least = ways.filter((way) => !ways.some((other) => isPartOf(other, way)));
  if (least.length === 0) return "means nothing here; leave it out";
  return `means nothing without ${least.map(dashed).join(" or ")}; add it, or leave this out`;
}

function isPartOf(some: readonly string[], all: readonly string[]): boolean {
  return some.length < all.length && some.every((one) => all.includes(one));
}

function dashed(flags: readonly string[]): string {
  return flags.map((flag) => `--${flag}`).join(" and ");
}
