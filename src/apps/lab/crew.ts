/** Who is there in a trial: two phones of the files, somebody who is called, and somebody who asks for one of them. */
import { Phone } from "../../api/phone.ts";
import type { AccountOptions, PhoneOptions, PhoneSettings } from "../../api/phone-options.ts";
import type { AccountPolicy } from "../../core/redundancy/policy.ts";
import { BACK_PORT, domainOf } from "../explain/grounds.ts";
import { askedServer } from "../explain/residents.ts";
import { StageFault } from "../scenario/stage.ts";
import { goodFingerprint } from "./certificates.ts";
import type { FileServer, FileTown, Inhabitant } from "./file-town.ts";
import { Follower } from "./follower.ts";
import type { LabStage } from "./stage.ts";

export interface CrewCase {
  readonly stage: LabStage;
  readonly town: FileTown;
  /** As the moved files have it. */
  readonly policy: AccountPolicy;
  /** Where the moved files stand. */
  readonly paths: readonly string[];
  /** The server that will fail. */
  readonly victim: FileServer;
}

/** Whom the calling phone calls, at whatever server it is. */
export const FRIEND = "dialtone-echo";
const WATCHER = "dialtone-watcher";
/** The start of a phone that waits for a random time first, on a busy machine. */
const STARTED_MS = 90_000;
const HOUR_SECONDS = 3600;
/** No such user is there, as far as those who ask are concerned. */
const NOT_HERE = 480;

export class Crew {
  readonly victimAddress: string;
  /** The index of the account in question. */
  readonly account: number;
  readonly idle: Follower;
  readonly caller: Phone;
  readonly #case: CrewCase;
  readonly #phones: readonly Phone[];
  readonly #watcher: Phone;

  private constructor(one: CrewCase, subjects: readonly [idle: Phone, caller: Phone]) {
    const [idle, caller] = subjects;
    this.#case = one;
    this.account = one.policy.index;
    this.victimAddress = one.stage.addressOf(one.victim.node);
    const friend = new Phone(friendOptions(one));
    this.#watcher = new Phone(watcherOptions(one));
    this.#phones = [friend, this.#watcher, idle, caller];
    this.caller = caller;
    this.idle = this.#follow(idle);
    // Both are phones of one user: only the one that is let be is looked for.
    idle.handle("OPTIONS", () => 200);
    caller.handle("OPTIONS", () => NOT_HERE);
  }

  /** @throws ConfigurationError if the files cannot be used. */
  static async gather(one: CrewCase): Promise<Crew> {
    const tls = { pinned: [await goodFingerprint()] };
    const settings = (who: Inhabitant): PhoneSettings => ({
      tls,
      bind: one.stage.addressOf(who),
      dns: one.stage.resolver,
      answer: "auto",
      instance: INSTANCES[who],
    });
    const [idle, caller] = await Promise.all([
      Phone.fromFiles(one.paths, settings("phone")),
      Phone.fromFiles(one.paths, settings("caller")),
    ]);
    return new Crew(one, [idle, caller]);
  }

  /** Everybody is registered, as they should be. @throws StageFault if that does not come about. */
  async start(): Promise<void> {
    const [, , , caller] = this.#phones;
    const followers = [this.idle, this.#follow(caller as Phone)];
    for (const phone of this.#phones) await phone.start();
    const took = await Promise.all(
      followers.map((one) => one.until(() => one.registeredAtPrimary, 0, STARTED_MS)),
    );
    if (took.every(Number.isFinite)) return;
    throw new StageFault("the phone does not register where it should while every server is up");
  }

  /** Whether the phone that is let be answers to who asks for it where people do. */
  async reached(signal: AbortSignal): Promise<boolean> {
    const { town, victim, policy } = this.#case;
    const grounds = town.servers.map(({ ground }) => ground);
    const asked = askedServer(policy, grounds, (one) => one !== victim.ground);
    const living = town.servers.findIndex(({ ground }) => ground === asked);
    const server = town.servers[living];
    if (server === undefined) return false;
    const to = `sip:${policy.user}@${domainBehind(policy, server)}`;
    try {
      const question = { method: "OPTIONS", to, account: living + 1, signal };
      return (await this.#watcher.request(question)).ok;
    } catch {
      // Nobody answered in time.
      return false;
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#phones.map((phone) => phone.stop()));
  }

  #follow(phone: Phone): Follower {
    const { policy } = this.#case;
    return new Follower(phone, policy.user, this.victimAddress, alwaysPrimary(policy));
  }
}

const INSTANCES: Readonly<Record<Inhabitant, string>> = {
  phone: "urn:uuid:00000000-0000-4000-8000-00000000000a",
  caller: "urn:uuid:00000000-0000-4000-8000-00000000000b",
  friend: "urn:uuid:00000000-0000-4000-8000-00000000000c",
  watcher: "urn:uuid:00000000-0000-4000-8000-00000000000d",
};

/** Registered at each server with locations of its own, and in every domain at one of those that share theirs. */
function friendOptions({ stage, town, policy, victim }: CrewCase): PhoneOptions {
  const sharing = town.servers.filter(({ ground }) => ground.spec.location === "shared");
  const shared = sharing.find((server) => server !== victim) ?? sharing[0];
  const domains = new Set(sharing.map((server) => domainBehind(policy, server)));
  const own = town.servers.filter(({ ground }) => ground.spec.location === "own");
  const homes = [
    ...(shared === undefined ? [] : [...domains].map((domain) => ({ server: shared, domain }))),
    ...own.map((server) => ({ server, domain: domainBehind(policy, server) })),
  ];
  const accounts = homes.map(({ server, domain }) =>
    resident(stage.addressOf(server.node), domain, FRIEND, true),
  );
  return { bind: stage.addressOf("friend"), answer: "auto", instance: INSTANCES.friend, accounts };
}

/** One account for each server, in their order. */
function watcherOptions({ stage, town, policy }: CrewCase): PhoneOptions {
  const accounts = town.servers.map((server) =>
    resident(stage.addressOf(server.node), domainBehind(policy, server), WATCHER, false),
  );
  return { bind: stage.addressOf("watcher"), instance: INSTANCES.watcher, accounts };
}

function resident(
  address: string,
  domain: string,
  user: string,
  register: boolean,
): AccountOptions {
  return {
    user,
    domain,
    register,
    servers: { address, port: BACK_PORT, transport: "udp", expiresSeconds: HOUR_SECONDS },
    redundancy: { keepAliveMs: 0 },
  };
}

/** The domain of the account where it is behind that server. */
function domainBehind(policy: AccountPolicy, { ground }: FileServer): string {
  const configured = policy.redundancy.servers[ground.server - 1];
  return configured === undefined ? policy.user : domainOf(policy, configured);
}

/** There is one hop to server 1, and every request tries the primary first. */
function alwaysPrimary({ redundancy: { servers, proxies } }: AccountPolicy): boolean {
  const first = servers[0];
  const hops = first?.throughProxy === true && proxies.length > 0 ? proxies : [first];
  return hops.length === 1 && hops[0]?.failbackMode === "newRequests";
}
