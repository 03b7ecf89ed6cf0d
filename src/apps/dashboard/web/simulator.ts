/**
 * The worker behind the playground: the very machines of the lab in virtual time, told what to do by the page and
 * telling it what happens. It is bundled into the page's own script.
 */
import type { Fault } from "../../../core/provisioning/configuration.ts";
import { readConfiguration } from "../../../core/provisioning/read.ts";
import { shownCast } from "../../lab/shown-cast.ts";
import { judge } from "../../scenario/judge.ts";
import { Pacer } from "../../scenario/pacer.ts";
import { fillPlaceholders, knownPlaceholders } from "../../scenario/placeholders.ts";
import { obey, playOpen } from "../../scenario/play.ts";
import { readScenario } from "../../scenario/read-scenario.ts";
import type { PhonePlan, Scenario } from "../../scenario/scenario.ts";
import { stageThrough } from "../../scenario/stage-through.ts";
import { SimStage } from "../../sim/stage.ts";
import { EPOCH_MS } from "../../sim/town.ts";
import type { TraceRecord } from "../../trace/record.ts";
import type { PageCommand, Standing, TraceHeader } from "../protocol.ts";
import type { Conditions, Finding, FromWorker, ToWorker } from "./sources/worker-protocol.ts";

/** A playground that nobody stops pauses itself: a browser's memory has an end. */
const MOST_RECORDS = 150_000;
/** News go to the page so often, in real milliseconds. */
const TELL_MS = 40;

addEventListener("message", (event: MessageEvent) => {
  const port = event.ports[0];
  if (port !== undefined) new Laboratory(port);
});

class Laboratory {
  readonly #port: MessagePort;
  #run: Run | undefined;
  #runs = 0;

  constructor(port: MessagePort) {
    this.#port = port;
    port.onmessage = ({ data }) => void this.#obey(data as ToWorker);
  }

  async #obey(order: ToWorker): Promise<void> {
    switch (order.kind) {
      case "load":
        this.#load(order.conditions);
        break;
      case "speed":
        this.#run?.setSpeed(order.speed);
        break;
      case "command": {
        const why = await this.#run?.command(order.command).then(
          () => "",
          (error: Error) => error.message,
        );
        this.#tell({ kind: "answer", number: order.number, why: why ?? "nothing is loaded" });
        break;
      }
    }
  }

  #load(conditions: Conditions): void {
    this.#run?.end();
    this.#run = undefined;
    const { scenario, findings } = prepared(conditions);
    this.#tell({ kind: "findings", findings });
    if (scenario === undefined) return;
    this.#runs += 1;
    const run = new Run(`v${this.#runs}`, scenario, conditions, (news) => this.#tell(news));
    this.#run = run;
    run.start().catch((error: Error) => {
      if (run === this.#run) this.#tell({ kind: "failed", why: error.message });
    });
  }

  #tell(news: FromWorker): void {
    this.#port.postMessage(news);
  }
}

/** The scenario with the files as they were edited, and what is wrong with them. */
function prepared({ scenario: source, files }: Conditions): {
  readonly scenario: Scenario | undefined;
  readonly findings: readonly Finding[];
} {
  const { scenario, faults } = readScenario(source.name, source.text);
  if (scenario === undefined) return { scenario, findings: faults.map(findingOf) };
  const phones = scenario.topology.phones.map((phone): PhonePlan => {
    const edited = files[phone.name];
    return edited === undefined ? phone : { ...phone, files: edited };
  });
  const servers = scenario.topology.servers.map(({ name }) => name);
  const findings = phones.flatMap((phone) => findingsOf(phone, servers));
  const broken = findings.some(({ severity }) => severity === "error");
  const topology = { ...scenario.topology, phones };
  return { scenario: broken ? undefined : { ...scenario, topology }, findings };
}

/** As `dialtone explain` tells them, with something in place of what only the stage knows. */
function findingsOf(phone: PhonePlan, servers: readonly string[]): Finding[] {
  const values = new Map(
    [...knownPlaceholders(servers)].map((name) => {
      if (name.endsWith("port")) return [name, "5060"];
      return [name, servers.includes(name) ? "192.0.2.1" : name];
    }),
  );
  const files = phone.files.map(({ name, text }) => ({
    name,
    text: fillPlaceholders(text, values),
  }));
  return readConfiguration(files, { phones: 1 }).faults.map(findingOf);
}

function findingOf({ file, line, key, severity, wrong, remedy }: Fault): Finding {
  return { file, line, key, severity, wrong, remedy };
}

/** One scenario in virtual time, from its start to its end or for as long as somebody looks. */
class Run {
  readonly #id: string;
  readonly #scenario: Scenario;
  readonly #tell: (news: FromWorker) => void;
  readonly #sim: SimStage;
  readonly #pacer: Pacer;
  #fresh: TraceRecord[] = [];
  #toldAt = 0;
  #ended = false;
  #standing: Standing;

  constructor(
    id: string,
    scenario: Scenario,
    conditions: Conditions,
    tell: (news: FromWorker) => void,
  ) {
    this.#id = id;
    this.#scenario = scenario;
    this.#tell = tell;
    this.#standing = scenario.expectations.length === 0 ? "live" : "playing";
    const { latencyMs, loss, seed, speed } = conditions;
    const network = { latencyMs: [latencyMs, latencyMs] as const, loss, duplication: 0 };
    this.#sim = new SimStage({ seed, network, watch: (record) => this.#fresh.push(record) });
    this.#pacer = new Pacer(this.#sim, speed, {
      clock: () => performance.now(),
      rest: (ms) => this.#rest(ms),
    });
  }

  async start(): Promise<void> {
    const began = performance.now();
    this.#header();
    const pass = (until: number): Promise<void> => this.#pacer.pass(until);
    await playOpen(this.#scenario, stageThrough(this.#sim, { pass }));
    if (this.#standing === "live") {
      for (;;) await pass(this.#sim.now() + 1000);
    }
    const lasted = this.#sim.now();
    const tookMs = performance.now() - began;
    await this.#sim.close();
    const verdict = judge(this.#scenario, this.#sim.records);
    this.#standing = verdict.passed ? "passed" : "failed";
    this.#flush();
    this.#header(lasted / tookMs);
    this.#tell({ kind: "judged", verdict });
  }

  end(): void {
    this.#ended = true;
  }

  setSpeed(speed: number): void {
    this.#pacer.speed = speed;
  }

  async command(command: PageCommand): Promise<void> {
    switch (command.do) {
      case "pause":
        this.#hold(true);
        break;
      case "resume":
        this.#hold(false);
        break;
      case "step":
        this.#hold(true);
        this.#pacer.step();
        break;
      case "play":
        throw new Error("choose the scenario on the left");
      default:
        await obey(this.#sim, command);
    }
    this.#flush();
  }

  #hold(held: boolean): void {
    this.#pacer.held = held;
    this.#header();
  }

  async #rest(ms: number): Promise<void> {
    if (this.#ended) throw new Error("another run has begun");
    if (performance.now() - this.#toldAt >= TELL_MS) this.#flush();
    if (this.#sim.records.length > MOST_RECORDS && this.#standing === "live" && !this.#pacer.held) {
      this.#hold(true);
      this.#tell({ kind: "failed", why: `paused after ${MOST_RECORDS} records: start again` });
    }
    await new Promise<void>((done) => {
      setTimeout(done, ms);
    });
  }

  #flush(): void {
    if (this.#ended) return;
    this.#toldAt = performance.now();
    const records = this.#fresh;
    this.#fresh = [];
    this.#tell({ kind: "records", batch: { trace: this.#id, records, now: this.#sim.now() } });
  }

  #header(speed?: number): void {
    if (this.#ended) return;
    const { title, topology } = this.#scenario;
    const header: TraceHeader = {
      id: this.#id,
      title,
      epochMs: EPOCH_MS,
      ...shownCast(topology),
      standing: this.#standing,
      held: this.#pacer.held,
      virtual: true,
      ...(speed === undefined ? {} : { speed }),
    };
    this.#tell({ kind: "trace", header });
  }
}
