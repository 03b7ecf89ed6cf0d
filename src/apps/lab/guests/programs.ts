/** Where the programs of others are, and what to install where they are not. */
import { programsOf } from "../../scenario/read-guests.ts";
import type { GuestProgram, Scenario } from "../../scenario/scenario.ts";
import { whatCellsLack } from "../network/cell.ts";
import { findCommand } from "./find-command.ts";

/** The command, and Debian's package of it. */
const PROGRAMS: Readonly<
  Record<GuestProgram, { readonly command: string; readonly from: string }>
> = {
  kamailio: { command: "kamailio", from: "kamailio" },
  baresip: { command: "baresip", from: "baresip-core" },
  linphone: { command: "linphonec", from: "linphone-cli" },
  sipp: { command: "sipp", from: "sip-tester" },
};
/** The full path, or undefined. */
export function findProgram(program: GuestProgram): string | undefined {
  return findCommand(PROGRAMS[program].command);
}

/** What a scenario lacks and what to do about it; undefined: nothing. */
export function whatLacks({ topology }: Scenario): string | undefined {
  const programs = programsOf(topology);
  const cells = topology.network === undefined ? undefined : whatCellsLack();
  if (cells !== undefined) return cells;
  if (programs.length > 0 && process.platform !== "linux") {
    return `needs ${programs.join(" and ")} on Linux`;
  }
  const absent = programs.filter((program) => findProgram(program) === undefined);
  if (absent.length === 0) return undefined;
  const packages = absent.map((program) => PROGRAMS[program].from).join(" ");
  return `needs ${absent.join(" and ")}; install it: apt-get install ${packages}`;
}
