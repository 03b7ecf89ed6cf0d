/** The store that an operator names: `memory`, a folder, or the address of a Redis server or cluster. */
import type { TraceEvent } from "../../../core/vocabulary.ts";
import { MemoryStore } from "./memory-store.ts";
import type { RedisPlace } from "./redis-client.ts";
import { type EpochClock, machineClock, type Store } from "./store.ts";

const DEFAULT_PORT = 6379;

/** The name is wrong, as opposed to the place being absent: its message says what to write instead. */
export class BadStoreName extends Error {
  override readonly name = "BadStoreName";
}

/**
 * `report` hears when a server is lost and found again, and what else fails and is nobody's question. `epochSeconds` is
 * the machine's clock, unless the store has one of its own.
 * @throws BadStoreName, or Error if the folder or server cannot be had.
 */
export async function openStore(
  name: string,
  report: (event: TraceEvent) => void = () => undefined,
  epochSeconds: EpochClock = machineClock,
): Promise<Store> {
  if (name === "memory") return new MemoryStore(epochSeconds);
  // Each library is loaded only where it is used: together they take longer to load than all the rest.
  if (/^[a-z][a-z0-9+-]*:\/\//i.test(name)) {
    const place = placeOf(name);
    const { connectRedisStore } = await import("./redis-store.ts");
    return connectRedisStore(place, report);
  }
  if (name.trim() === "") throw bad(name, "it is empty");
  // Slips of the pen, which would silently become folders: words, and whatever has the colon of an address or scheme.
  if (/^(memory|redis|valkey|lmdb)$|^(?![a-z]:[\\/])[^/]*:/i.test(name)) {
    throw bad(withoutPassword(name), "it is no folder either, unless written with ./ before it");
  }
  const { LmdbStore } = await import("./lmdb-store.ts");
  try {
    return new LmdbStore(name, report, epochSeconds);
  } catch (error) {
    throw new Error(`the store folder ${name} cannot be opened: ${String(error)}`);
  }
}

/** Takes `redis[s][-cluster]://[user:password@]host[:port][,host[:port]…][/db]` apart. */
function placeOf(name: string): RedisPlace {
  const [, tls, cluster, credentials, hosts, db] =
    /^redis(s)?(-cluster)?:\/\/(?:([^@/]*)@)?([^@/]+)(?:\/(\d*))?$/i.exec(name) ?? [];
  if (hosts === undefined) throw bad(withoutPassword(name), "it is no address of a Redis server");
  const [username, ...password] = (credentials ?? "").split(":");
  const place: RedisPlace = {
    secure: tls !== undefined,
    cluster: cluster !== undefined || hosts.includes(","),
    servers: hosts.split(",").map((host) => serverOf(host, name)),
    username: username === undefined || username === "" ? undefined : decodeURIComponent(username),
    password: password.length === 0 ? undefined : decodeURIComponent(password.join(":")),
    db: Number(db ?? 0),
  };
  if (place.cluster && place.db !== 0)
    throw bad(withoutPassword(name), "a cluster has no databases");
  return place;
}

function serverOf(text: string, name: string): { host: string; port: number } {
  const [, six, plain, port] = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::(\d+))?$/i.exec(text) ?? [];
  const host = six ?? plain;
  const number = port === undefined ? DEFAULT_PORT : Number(port);
  if (host === undefined || !(number > 0 && number < 0x1_0000)) {
    throw bad(withoutPassword(name), `"${text}" is no host and port`);
  }
  return { host, port: number };
}

function withoutPassword(name: string): string {
  return name.replace(/(\/\/|:)[^/]*@/, "$1…@");
}

function bad(name: string, why: string): BadStoreName {
  const instead = "write memory, a folder, or redis://HOST:PORT (rediss:// with TLS)";
  return new BadStoreName(`the store "${name}" is not known: ${why}; ${instead}`);
}
