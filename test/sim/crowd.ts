/** One client that sends REGISTERs for many users at a steady rate to a server whose work takes time. */
import type { Instant } from "../../src/core/machine.ts";
import { Headers } from "../../src/core/message/headers.ts";
import { LOSS_OFFER } from "../../src/core/message/overload.ts";
import { DEFAULT_REGISTRAR_LIMITS } from "../../src/core/server/registration.ts";
import { SipServer } from "../../src/core/server/server.ts";
import { Timer, type TimerOwner } from "../../src/core/timers.ts";
import type { Flow } from "../../src/core/transaction/user.ts";
import { nodePrimitives } from "../../src/worlds/node/primitives.ts";
import { Prng } from "../../src/worlds/sim/prng.ts";
import { SimulatedStore } from "../../src/worlds/sim/simulated-store.ts";
import { Simulation } from "../../src/worlds/sim/simulation.ts";
import { labourOfServer } from "../../src/worlds/sim/workbench.ts";
import { LayerMachine } from "../support/layer-machine.ts";

export interface CrowdPlan {
  /** REGISTERs a second. */
  readonly offered: number;
  readonly capacity: number;
  /** `oc`: offered by the client, given by the server; `503`: not offered; `none`: the server knows nothing of load. */
  readonly control: "oc" | "503" | "none";
}

export interface CrowdRun {
  /** 200s a second that came within 4 s, after the first third of the time. */
  readonly goodput: number;
  readonly refused: number;
  readonly keptBack: number;
  readonly timedOut: number;
}

const SERVER = { transport: "udp", address: "10.0.0.1", port: 5060 } as const;
const EPOCH_MS = Date.UTC(2026, 0, 1);
/** Longer than this nobody likes to wait. */
const GOOD_MS = 4_000;
const RFC = { t1: 500, t2: 4_000, t4: 5_000, interval: 0, resends: 0 };

export class Crowd {
  readonly #simulation: Simulation;
  readonly #client: Client;

  constructor(plan: CrowdPlan) {
    const store = new SimulatedStore();
    this.#simulation = new Simulation({
      seed: 1,
      network: { latencyMs: [2, 4], loss: 0, duplication: 0 },
    });
    const server = new SipServer(
      {
        name: "one",
        domains: ["fleet.test"],
        listen: [SERVER],
        advertise: undefined,
        role: "working",
        users: undefined,
        acceptForeign: false,
        limits: DEFAULT_REGISTRAR_LIMITS,
        serviceRoute: "",
        shared: false,
        epochOffset: EPOCH_MS,
        renewals: false,
        tracing: false,
      },
      { ...nodePrimitives(), entropy: new Prng(1, 100) },
      (question) => {
        if (question.kind === "dns") return undefined;
        this.#simulation.host("one").answeredAtOnce();
        return store.ask(question);
      },
    );
    const host = this.#simulation.addHost("one", [SERVER.address], server);
    host.run((now) => server.start(now));
    host.labours({
      ...labourOfServer(plan.capacity),
      ...(plan.control === "none" ? {} : { told: (now, waitMs) => server.waited(now, waitMs) }),
    });
    this.#client = new Client(plan);
    const crowd = this.#simulation.addHost("crowd", ["10.0.1.1"], this.#client.machine);
    crowd.run((now) => this.#client.start(now));
  }

  run(seconds: number): CrowdRun {
    const warm = seconds * 333;
    this.#simulation.runUntil(warm);
    this.#client.good = 0;
    this.#simulation.runUntil(seconds * 1000);
    const { good, refused, keptBack, timedOut } = this.#client;
    return { goodput: (good * 1000) / (seconds * 1000 - warm), refused, keptBack, timedOut };
  }
}

class Client implements TimerOwner {
  good = 0;
  refused = 0;
  keptBack = 0;
  timedOut = 0;
  readonly #plan: CrowdPlan;
  readonly machine: LayerMachine;
  readonly #tick: Timer = new Timer("tick", this);
  readonly #prng = new Prng(1, 200);
  #flow: Flow | undefined;
  #sent = 0;

  constructor(plan: CrowdPlan) {
    this.#plan = plan;
    const nobody = (): void => undefined;
    this.machine = new LayerMachine(
      { ...nodePrimitives(), entropy: this.#prng },
      {
        requested: nobody,
        cancelled: nobody,
        acknowledged: nobody,
        undelivered: nobody,
        strayed: nobody,
      },
    );
  }

  start(now: Instant): void {
    this.machine.layer.reach(
      now,
      SERVER,
      { from: 0, connected: true },
      {
        reached: (at, flow) => {
          this.#flow = flow;
          this.rang(at);
        },
        unreached: () => undefined,
      },
    );
  }

  rang(now: Instant): void {
    this.#register(now);
    const mean = 1000 / this.#plan.offered;
    this.machine.timers.set(this.#tick, now - mean * Math.log(1 - this.#prng.fraction()));
  }

  #register(now: Instant): void {
    const flow = this.#flow as Flow;
    this.#sent += 1;
    const number = this.#sent;
    const aor = `<sip:u${number}@fleet.test>`;
    const headers = new Headers()
      .add("from", `${aor};tag=1`)
      .add("to", aor)
      .add("max-forwards", "70")
      .add("call-id", `c${number}`)
      .add("cseq", "1 REGISTER")
      .add("contact", `<sip:u${number}@10.0.1.1:5060>`);
    const request = {
      kind: "request",
      method: "REGISTER",
      uri: "sip:fleet.test",
      headers,
      body: "",
    } as const;
    this.machine.layer.stampVia(request, flow);
    if (this.#plan.control === "oc") {
      const via = headers.get("via") ?? "";
      headers.set("via", `${via}${LOSS_OFFER}`);
    }
    this.machine.layer.request(now, request, flow, RFC, {
      responded: (at, { status, reason }) => {
        if (status === 200 && at - now <= GOOD_MS) this.good += 1;
        else if (reason === "Kept Back") this.keptBack += 1;
        else if (status === 503) this.refused += 1;
      },
      failed: () => {
        this.timedOut += 1;
      },
    });
  }
}
