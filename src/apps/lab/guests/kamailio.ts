/** Kamailio as a server of the lab: with the lab's configuration, or the user's with its placeholders filled in. */
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { makeFolder } from "../../../worlds/node/folder.ts";
import { fillPlaceholders } from "../../scenario/placeholders.ts";
import type {
  GuestServer,
  GuestText,
  ServerFault,
  ServerPlan,
  ShownCertificate,
} from "../../scenario/scenario.ts";
import { StageFault } from "../../scenario/stage.ts";
import { certificateFiles } from "../certificates.ts";
import type { Ground } from "../process-arguments.ts";
import { usersOf } from "../users.ts";
import { findCommand } from "./find-command.ts";
import type { Launch } from "./guest.ts";
import { kamailioConfiguration, listenersOf, tlsConfiguration } from "./kamailio-config.ts";

const execute = promisify(execFile);
/** It answers on its control socket within so long, or is told in vain, milliseconds. */
const PATIENCE_MS = 5000;
/**
 * Processes for each socket, and memory: all together and of each, MB. With a second process a 200 overtakes its 180
 * now and then, and SIPp gives such a call up.
 */
const SIZE = ["-n", "1", "-m", "32", "-M", "8"];

/** @throws StageFault when its configuration cannot be read. */
export async function launchKamailio(
  plan: ServerPlan,
  guest: GuestServer,
  ground: Ground,
): Promise<Omit<Launch, "program">> {
  const { topology, block, placeholders } = ground;
  const { address, port } = block.server(plan.name, topology.servers.indexOf(plan));
  const folder = join(ground.folder, plan.name);
  makeFolder(folder);
  const settings = {
    address,
    domain: topology.domain,
    users: usersOf(topology),
    maxExpires: guest.expiresSeconds,
    tcp: true,
    ...(guest.tls === true ? { tls: certificateFiles("good") } : {}),
  };
  const values = new Map(placeholders)
    .set("address", address)
    .set("port", String(port))
    .set("folder", folder);
  const text =
    guest.config === undefined
      ? kamailioConfiguration(settings, folder, socketIn(folder))
      : fillPlaceholders(await textOf(guest.config), values);
  await writeFile(join(folder, "kamailio.cfg"), text);
  if (guest.tls === true) await showCertificate(folder, "good");
  // Sockets that the configuration names are not named twice.
  const named = /^\s*listen\s*=/m.test(text);
  const listen = named ? [] : listenersOf(settings).flatMap((place) => ["-l", place]);
  const files = ["-f", join(folder, "kamailio.cfg"), "-Y", folder, "-P", join(folder, "pid")];
  return { args: [...files, "-DD", "-E", ...SIZE, ...listen], folder };
}

/**
 * Tells a Kamailio with the lab's configuration: answers 503 to everybody or no more, or shows another certificate.
 * @throws StageFault when it does not listen.
 */
export async function tellKamailio(folder: string, fault: ServerFault): Promise<void> {
  const told = async (...words: string[]): Promise<void> => {
    const [program, args] = [findCommand("kamcmd") ?? "kamcmd", ["-s", socketIn(folder), ...words]];
    await execute(program, args, { timeout: PATIENCE_MS }).catch((error: Error) => {
      throw new StageFault(`kamailio cannot be told: ${error.message}`);
    });
  };
  const set = (name: string, value: number): Promise<void> =>
    told("pv.shvSet", name, "int", String(value));
  if (fault.kind === "answer-503") {
    await set("retry", fault.retryAfterSeconds ?? 0);
    await set("refuses", 1);
  } else if (fault.kind === "heal") await set("refuses", 0);
  else if (fault.kind === "certificate") {
    await showCertificate(folder, fault.shown);
    await told("tls.reload");
  }
}

function socketIn(folder: string): string {
  return `unix:${folder}/control`;
}

async function showCertificate(folder: string, shown: ShownCertificate): Promise<void> {
  await writeFile(join(folder, "tls.cfg"), tlsConfiguration(certificateFiles(shown)));
}

async function textOf(config: GuestText): Promise<string> {
  if ("text" in config) return config.text;
  return await readFile(config.path, "utf8").catch((error: Error) => {
    throw new StageFault(`${config.path} cannot be read (${error.message})`);
  });
}
