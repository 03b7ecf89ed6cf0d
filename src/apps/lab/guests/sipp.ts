/** SIPp as a load of the lab: calls by the dozen, and what became of them by its own count. */
import { readFileSync } from "node:fs";
import { access } from "node:fs/promises";
import { join, resolve } from "node:path";
import { makeFolder } from "../../../worlds/node/folder.ts";
import type { LoadPlan } from "../../scenario/scenario.ts";
import { StageFault } from "../../scenario/stage.ts";
import type { Place } from "../addresses.ts";
import type { Ground } from "../process-arguments.ts";
import { passwordOf } from "../users.ts";
import type { Launch } from "./guest.ts";

/** The lab's own scenarios, beside its certificates. */
const FOLDER = join(
  import.meta.dirname,
  ...["..", "..", "..", "..", "..", "scenarios", "lab", "sipp"],
);
const STATISTICS = "statistics.csv";

/**
 * Everything but the program.
 * @throws StageFault when its scenario cannot be read.
 */
export async function launchSipp(
  plan: LoadPlan,
  { address, port }: Place,
  { topology, block, folder: ground }: Ground,
): Promise<Omit<Launch, "program">> {
  const folder = join(ground, plan.name);
  makeFolder(folder);
  const { scenario, to, callee, rate, calls, talkSeconds, transport } = plan;
  const file = typeof scenario === "string" ? join(FOLDER, `${scenario}.xml`) : scenario.path;
  await access(file).catch((error: Error) => {
    throw new StageFault(`${file} cannot be read (${error.message})`);
  });
  const index = topology.servers.findIndex((server) => server.name === to);
  const server = to === undefined ? undefined : block.server(to, index);
  const called = topology.phones.find((phone) => phone.name === callee);
  const user = called?.user ?? "load";
  const args = [
    ...(server === undefined ? [] : [`${server.address}:${server.port}`]),
    ...["-sf", resolve(file), "-i", address, "-p", String(port)],
    ...["-bind_local", "-t", transport === "udp" ? "u1" : "t1", "-s", user],
    ...["-r", String(rate), "-m", String(calls), "-d", milliseconds(talkSeconds)],
    ...["-au", plan.name, "-ap", passwordOf(plan), "-key", "user", plan.name],
    // The address of the server, which it would put in unless told, is not what is asked for.
    ...["-auth_uri", `${user}@${topology.domain}`],
    ...["-key", "domain", topology.domain, "-rtp_echo", "-nostdin"],
    ...(scenario === "uac" ? ["-recv_timeout", milliseconds(plan.patienceSeconds)] : []),
    ...["-trace_stat", "-stf", join(folder, STATISTICS), "-fd", "1"],
    ...["-trace_err", "-error_file", join(folder, "errors.log")],
  ];
  return { args, folder, farewell: { signal: "SIGUSR1" } };
}

function milliseconds(seconds: number): string {
  return String(Math.round(seconds * 1000));
}

/** What it counted, and the share of its calls that went well; undefined: it has counted nothing. */
export function sippCount(
  folder: string,
): { readonly calls: number; readonly failed: number; readonly share: number } | undefined {
  let text: string;
  try {
    text = readFileSync(join(folder, STATISTICS), "latin1");
  } catch {
    // It ended before it began.
    return undefined;
  }
  const lines = text.trim().split("\n");
  const names = lines[0]?.split(";") ?? [];
  const last = lines.at(-1)?.split(";") ?? [];
  const count = (name: string): number => Number(last[names.indexOf(name)] ?? 0);
  const [well, failed] = [count("SuccessfulCall(C)"), count("FailedCall(C)")];
  const calls = well + failed;
  return { calls, failed, share: calls === 0 ? 0 : Math.round((well / calls) * 1000) / 1000 };
}
