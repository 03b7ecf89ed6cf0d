/** Kamailio as a server of the lab: with the lab's configuration, or the user's with its placeholders filled in. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder } from "../../../worlds/node/folder.ts";
import { fillPlaceholders } from "../../scenario/placeholders.ts";
import type { GuestServer, GuestText, ServerPlan } from "../../scenario/scenario.ts";
import { StageFault } from "../../scenario/stage.ts";
import type { Ground } from "../process-arguments.ts";
import { usersOf } from "../users.ts";
import type { Launch } from "./guest.ts";
import { kamailioConfiguration, listenersOf } from "./kamailio-config.ts";

/** Processes for each socket, and memory: all together and of each, MB. */
const SIZE = ["-n", "2", "-m", "32", "-M", "8"];

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
  };
  const values = new Map(placeholders)
    .set("address", address)
    .set("port", String(port))
    .set("folder", folder);
  const text =
    guest.config === undefined
      ? kamailioConfiguration(settings, folder, `unix:${folder}/control`)
      : fillPlaceholders(await textOf(guest.config), values);
  await writeFile(join(folder, "kamailio.cfg"), text);
  // Sockets that the configuration names are not named twice.
  const named = /^\s*listen\s*=/m.test(text);
  const listen = named ? [] : listenersOf(settings).flatMap((place) => ["-l", place]);
  const files = ["-f", join(folder, "kamailio.cfg"), "-Y", folder, "-P", join(folder, "pid")];
  return { args: [...files, "-DD", "-E", ...SIZE, ...listen], folder };
}

async function textOf(config: GuestText): Promise<string> {
  if ("text" in config) return config.text;
  return await readFile(config.path, "utf8").catch((error: Error) => {
    throw new StageFault(`${config.path} cannot be read (${error.message})`);
  });
}
