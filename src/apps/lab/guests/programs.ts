/** Where the programs of others are, and what to install where they are not. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { programsOf } from "../../scenario/read-guests.ts";
import type { GuestProgram, Scenario, Topology } from "../../scenario/scenario.ts";
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
/** Where systems keep Kamailio's modules. */
const MODULES = ["x86_64-linux-gnu/", "aarch64-linux-gnu/", ""]
  .flatMap((machine) => [`/usr/lib/${machine}`, `/usr/local/lib/${machine}`, "/usr/lib64/"])
  .map((folder) => `${folder}kamailio/modules`);

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
  if (absent.length === 0) return lackingModule(topology);
  const packages = absent.map((program) => PROGRAMS[program].from).join(" ");
  return `needs ${absent.join(" and ")}; install it: apt-get install ${packages}`;
}

/** Kamailio's TLS is a package of its own on some systems. */
function lackingModule({ servers }: Topology): string | undefined {
  if (!servers.some(({ guest }) => guest?.tls === true)) return undefined;
  const there = MODULES.some((folder) => existsSync(join(folder, "tls.so")));
  return there
    ? undefined
    : "needs Kamailio's TLS; install it: apt-get install kamailio-tls-modules";
}
