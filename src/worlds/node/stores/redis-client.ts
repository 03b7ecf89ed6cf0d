/**
 * Connections to Redis or Valkey: one server or a cluster, found out by asking it, and the script that compares
 * and sets.
 */
import { isIP } from "node:net";
import { Cluster, Redis } from "ioredis";
import type { TraceEvent } from "../../../core/vocabulary.ts";

/** Silence for so long while commands wait means that the connection is dead, whatever TCP believes. */
const SILENCE_MS = 5_000;

const CONNECT_MS = 2_000;

const READY_MS = 5_000;

const LONGEST_BACK_OFF_MS = 2_000;

/**
 * KEYS[1]; ARGV: the expected version, the new value, when it expires, and whether it is a removal. A value is kept as
 * its version, a space, and itself. Returns the version, 0 for a removal, or -1 for a conflict. A new entry counts on
 * from the server's clock (µs), so that no version repeats after a removal.
 */
const COMPARE_AND_SET = `
local found = redis.call('GET', KEYS[1])
local version = found and string.match(found, '^%d+') or '0'
if version ~= ARGV[1] then return -1 end
if ARGV[4] == '1' then
  redis.call('DEL', KEYS[1])
  return 0
end
local new
if found then
  new = tonumber(version) + 1
else
  local clock = redis.call('TIME')
  new = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
end
redis.call('SET', KEYS[1], string.format('%d ', new) .. ARGV[2])
redis.call('EXPIREAT', KEYS[1], ARGV[3])
return new
`;

/** What `defineCommand` adds to either kind of connection. */
interface WithScript {
  compareAndSet(
    key: Buffer,
    ifVersion: string,
    value: Buffer,
    expiresAt: number,
    removal: "0" | "1",
  ): Promise<number>;
}

/** Where to find the server, taken apart from `redis[s]://[user:password@]host[:port][/db]`. */
export interface RedisPlace {
  readonly secure: boolean;
  /** Known to be a cluster (`redis[s]-cluster://`, which may name several servers with commas). */
  readonly cluster: boolean;
  readonly servers: readonly { readonly host: string; readonly port: number }[];
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly db: number;
}

export class RedisClient {
  readonly #connection: (Redis | Cluster) & WithScript;

  private constructor(
    connection: Redis | Cluster,
    place: RedisPlace,
    report: (event: TraceEvent) => void,
  ) {
    watch(connection, place, report);
    connection.defineCommand("compareAndSet", { numberOfKeys: 1, lua: COMPARE_AND_SET });
    this.#connection = connection as (Redis | Cluster) & WithScript;
  }

  /** @throws Error that names the place and the reason, without the password, if it cannot be reached now. */
  static async connect(
    place: RedisPlace,
    report: (event: TraceEvent) => void,
  ): Promise<RedisClient> {
    const single = await connectSingle(place);
    // A member of a cluster answers for its own keys only.
    const clustered = place.cluster || /cluster_enabled:1/.test(await single.info("cluster"));
    if (!clustered) return new RedisClient(single, place, report);
    try {
      // The library would look for the missing slots without end, and let nothing else run.
      const state = String(await single.cluster("INFO"));
      if (!state.includes("cluster_state:ok")) {
        throw new Error(`${nameOf(place)} cannot be reached: the cluster does not serve all slots`);
      }
    } finally {
      single.disconnect();
    }
    return new RedisClient(await connectCluster(place), place, report);
  }

  read(name: Buffer): Promise<Buffer | null> {
    return this.#connection.getBuffer(name);
  }

  compareAndSet(...arguments_: Parameters<WithScript["compareAndSet"]>): Promise<number> {
    return this.#connection.compareAndSet(...arguments_);
  }

  /** Its clock; of a cluster, that of one of its servers. */
  async epochSeconds(): Promise<number> {
    const [first] = this.masters();
    if (first === undefined) throw new Error("no server of the cluster holds keys");
    const [seconds, micros] = await first.time();
    return Number(seconds) + Number(micros) / 1e6;
  }

  /** The servers that hold keys. */
  masters(): Redis[] {
    const connection = this.#connection;
    return connection instanceof Cluster ? connection.nodes("master") : [connection];
  }

  disconnect(): void {
    this.#connection.removeAllListeners("close");
    this.#connection.disconnect();
  }
}

/** The first of the servers named that answers. */
async function connectSingle(place: RedisPlace): Promise<Redis> {
  let failure: unknown;
  for (const server of place.servers) {
    const redis = new Redis({ ...optionsOf(place), ...server, db: place.db, lazyConnect: true });
    try {
      return await connected(redis, place);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

async function connectCluster(place: RedisPlace): Promise<Cluster> {
  const cluster = new Cluster([...place.servers], {
    redisOptions: optionsOf(place),
    clusterRetryStrategy: backOff,
    slotsRefreshTimeout: CONNECT_MS,
    enableOfflineQueue: false,
    lazyConnect: true,
    // Servers name themselves by addresses; nothing needs to be looked up.
    ...(place.secure ? { dnsLookup: (host, found) => found(null, host) } : {}),
  });
  return connected(cluster, place);
}

/**
 * Commands fail at once while there is no connection, and are never sent twice: a repeated one could conflict
 * with itself.
 */
function optionsOf(place: RedisPlace) {
  const { username, password } = place;
  const host = place.servers[0]?.host ?? "";
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(place.secure ? { tls: isIP(host) === 0 ? { servername: host } : {} } : {}),
    connectTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
    retryStrategy: backOff,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
  };
}

function backOff(attempt: number): number {
  const longest = Math.min(50 * 2 ** attempt, LONGEST_BACK_OFF_MS);
  return longest / 2 + (Math.random() * longest) / 2;
}

/**
 * Waits for the first connection, but not for long: a cluster that cannot agree would let us wait for ever.
 * @throws Error if it does not come.
 */
async function connected<Connection extends Redis | Cluster>(
  connection: Connection,
  place: RedisPlace,
): Promise<Connection> {
  let why = `not ready in ${READY_MS} ms`;
  connection.on("error", (error: Error) => {
    why = error.message;
  });
  let patience: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    patience = setTimeout(() => reject(new Error(why)), READY_MS);
  });
  try {
    await Promise.race([connection.connect(), tooLate]);
    return connection;
  } catch {
    connection.disconnect();
    throw new Error(`${nameOf(place)} cannot be reached: ${why}`);
  } finally {
    clearTimeout(patience);
  }
}

/** From here on, losing the connection and finding it again are events. */
function watch(
  connection: Redis | Cluster,
  place: RedisPlace,
  report: (event: TraceEvent) => void,
): void {
  let up = true;
  connection.on("ready", () => {
    if (!up) report({ event: "store.restored", store: nameOf(place) });
    up = true;
  });
  connection.on("close", () => {
    if (up) report({ event: "store.lost", store: nameOf(place) });
    up = false;
  });
}

function nameOf({ secure, servers }: RedisPlace): string {
  const names = servers.map(({ host, port }) => `${host}:${port}`).join(",");
  return `${secure ? "rediss" : "redis"}://${names}`;
}
