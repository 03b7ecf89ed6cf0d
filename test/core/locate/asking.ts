/** Runs location against a table of records, in place of the world: the questions asked and the targets found. */
import type { Background, Inquiry } from "../../../src/core/inquiry.ts";
import {
  type LocateContext,
  locateServer,
  locateUri,
  type ServerLocation,
  type UriLocation,
} from "../../../src/core/locate/locate.ts";
import type { Located } from "../../../src/core/locate/located.ts";
import { type LookupPolicy, NameService } from "../../../src/core/locate/name-service.ts";
import { RecordCache } from "../../../src/core/locate/record-cache.ts";
import type { Entropy } from "../../../src/core/primitives.ts";
import type { DnsAnswer, DnsQuestion, ResourceRecord } from "../../../src/core/vocabulary.ts";

export function a(name: string, address: string, ttl = 60): ResourceRecord {
  return { type: address.includes(":") ? "AAAA" : "A", name, ttl, address };
}

export function srv(
  name: string,
  priority: number,
  weight: number,
  port: number,
  target: string,
  ttl = 120,
): Extract<ResourceRecord, { type: "SRV" }> {
  return { type: "SRV", name, ttl, priority, weight, port, target };
}

export function naptr(
  name: string,
  order: number,
  preference: number,
  flags: string,
  service: string,
  replacement: string,
  ttl = 300,
): Extract<ResourceRecord, { type: "NAPTR" }> {
  return { type: "NAPTR", name, ttl, order, preference, flags, service, regexp: "", replacement };
}

/** xorshift32: good enough to draw weights with, and the same on every machine. */
export function seeded(seed: number): Entropy {
  let state = seed >>> 0 || 1;
  return {
    uint32(): number {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      state >>>= 0;
      return state;
    },
  };
}

export const LIVE_ONLY: LookupPolicy = {
  records: [],
  staticFirst: false,
  cache: true,
  useAdditional: false,
};

/** A world of names: what is asked is remembered, silence can be switched on, time can be moved. */
export class Names {
  records: ResourceRecord[];
  additional: ResourceRecord[] = [];
  silent = false;
  /** Types that the resolver chokes on. */
  readonly mute: Set<string> = new Set();
  readonly asked: string[] = [];
  readonly patience: (number | undefined)[] = [];
  readonly clock: Background & { now: number } = {
    now: 0,
    start: (_now, inquiry) => void this.#beside.push(inquiry),
  };
  readonly cache: RecordCache = new RecordCache();
  readonly #beside: Inquiry<unknown>[] = [];

  constructor(records: ResourceRecord[]) {
    this.records = records;
  }

  context(change: Partial<LocateContext> = {}, policy: Partial<LookupPolicy> = {}): LocateContext {
    const { clock } = this;
    return {
      clock,
      entropy: seeded(1),
      names: new NameService(clock, this.cache, { ...LIVE_ONLY, ...policy }),
      supported: ["udp", "tcp", "tls"],
      families: ["ipv4"],
      srvOrder: "rfc2782",
      srvTransports: "all",
      ...change,
    };
  }

  server(server: ServerLocation, context: LocateContext = this.context()): Located {
    return this.run(locateServer(server, context));
  }

  uri(uri: Partial<UriLocation>, context: LocateContext = this.context()): Located {
    const whole = { secure: false, host: "", port: 0, transport: undefined, ...uri };
    return this.run(locateUri(whole, context));
  }

  run<Result>(inquiry: Inquiry<Result>): Result {
    const result = this.#answered(inquiry);
    // What nobody waits for takes no time of those who wait.
    const { now } = this.clock;
    for (const beside of this.#beside.splice(0)) this.#answered(beside);
    this.clock.now = now;
    return result;
  }

  #answered<Result>(inquiry: Inquiry<Result>): Result {
    for (let step = inquiry.next(); ; ) {
      if (step.done === true) return step.value;
      if (step.value.kind !== "dns") throw new Error("location asks the DNS only");
      step = inquiry.next(this.#answer(step.value));
    }
  }

  #answer(question: DnsQuestion): DnsAnswer {
    const { name, type, withinMs } = question;
    this.asked.push(`${type} ${name}`);
    this.patience.push(withinMs);
    if (this.silent || this.mute.has(type)) {
      this.clock.now += withinMs ?? 9000;
      return { kind: "silent", why: "timeout" };
    }
    const records = this.records.filter((one) => one.name === name && one.type === type);
    if (records.length === 0) return { kind: "none", ttl: 60 };
    return { kind: "records", records, additional: this.additional };
  }
}

/** `udp 192.0.2.1:5060` for each target, or why there is none. */
export function shown(located: Located): string[] {
  if (located.kind === "failed") return [located.why];
  return located.targets.map(
    ({ target }) => `${target.transport} ${target.address}:${target.port}`,
  );
}
