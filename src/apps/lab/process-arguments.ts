/** How the processes of a stage are called: the commands that anybody could type. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder } from "../../worlds/node/folder.ts";
import { fillPlaceholders } from "../scenario/placeholders.ts";
import type { PhonePlan, ServerPlan, Topology } from "../scenario/scenario.ts";
import type { Block } from "./addresses.ts";
import { AUTHORITY, certificateFiles, goodFingerprint, speaksFor } from "./certificates.ts";
import type { LabNetwork } from "./network/lab-network.ts";

/** What a stage stands on. */
export interface Ground {
  readonly topology: Topology;
  readonly block: Block;
  /** For users, stores and provisioning files. */
  readonly folder: string;
  readonly placeholders: ReadonlyMap<string, string>;
  /** Undefined: all stand on the loopback interface. */
  readonly network: LabNetwork | undefined;
}

export function serverArguments(plan: ServerPlan, ground: Ground): string[] {
  const { topology, block, folder, placeholders } = ground;
  const { servers, domain, domains = [], open = false } = topology;
  const { address, port } = block.server(plan.name, servers.indexOf(plan));
  const doors = plan.doors ?? [
    { transport: "udp", port },
    { transport: "tcp", port },
    ...(plan.tls === true ? [{ transport: "tls", port: port + 1 }] : []),
  ];
  const listen = doors.flatMap((door) => ["--listen", `${door.transport}:${address}:${door.port}`]);
  const store = plan.location === "shared" ? join(folder, "shared") : "memory";
  const users = open ? ["--open"] : ["--users", join(folder, "users.yaml")];
  const others = domains.map((one) => fillPlaceholders(one, placeholders));
  const named = ["--name", plan.name, "--role", plan.role, "--domain", domain, ...others];
  const kept = [...users, "--store", store];
  const { certificate, key } = certificateFiles("good");
  const shown = plan.tls === true ? ["--certificate", certificate, "--key", key] : [];
  const skew = plan.clockSkewSeconds ?? 0;
  const clock = skew === 0 ? [] : [`--clock-skew=${skew}`];
  // Where SHA-256 is offered, too, baresip 1.0 does not answer the MD5 challenge beside it.
  const old = topology.phones.some(({ guest }) => guest?.program === "baresip");
  const digest = old && !open ? ["--digest", "md5"] : [];
  const watched = ["--json", "--trace", "--control"];
  return ["serve", ...listen, ...named, ...kept, ...digest, ...shown, ...clock, ...watched];
}

/** Writes its provisioning files first. */
export async function phoneArguments(
  plan: PhonePlan,
  index: number,
  ground: Ground,
): Promise<string[]> {
  const { topology, block, placeholders } = ground;
  const values = new Map(placeholders).set("user", plan.user).set("password", plan.password);
  const folder = join(ground.folder, plan.name);
  makeFolder(folder);
  const files = plan.files.map((file) => ({
    path: join(folder, file.name),
    text: fillPlaceholders(file.text, values),
  }));
  await Promise.all(files.map(({ path, text }) => writeFile(path, text)));
  const dns = topology.zone === undefined ? [] : ["--dns", values.get("dns") ?? ""];
  const secure = topology.servers.some(({ tls }) => tls === true);
  const believed = secure ? await believedIn(topology.domain) : [];
  const bind = ["--bind", block.phone(index).address, "--answer", plan.answer];
  const configured = files.flatMap(({ path }) => ["--config", path]);
  return ["phone", ...configured, ...dns, ...believed, ...bind, "--json", "--trace", "--control"];
}

/** A scenario may have a domain of its own, as those have that the simulator shrinks a seed to. */
async function believedIn(domain: string): Promise<string[]> {
  const named = await speaksFor(domain);
  return named ? ["--ca", AUTHORITY] : ["--pin", await goodFingerprint()];
}
