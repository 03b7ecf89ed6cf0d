/**
 * The lab as browsers see it: itself and the scenarios played beside it, each a trace; what a page asks for is done
 * here.
 */
import type { FeedTrace } from "../dashboard/feed.ts";
import { Feed } from "../dashboard/feed.ts";
import type { PageCommand, TraceHeader } from "../dashboard/protocol.ts";
import type { CommandScope } from "../dashboard/read-command.ts";
import { Dashboard } from "../dashboard/server.ts";
import type { HostPort } from "../flag-values.ts";
import { newToken } from "../pages/guard.ts";
import { Hold } from "../scenario/hold.ts";
import { obey } from "../scenario/play.ts";
import type { Scenario } from "../scenario/scenario.ts";
import { type Stage, StageFault } from "../scenario/stage.ts";
import { stageThrough } from "../scenario/stage-through.ts";
import type { TraceRecord } from "../trace/record.ts";
import { loadScenarios } from "./catalogue.ts";
import { shownCast } from "./shown-cast.ts";
import type { LabStage } from "./stage.ts";

/** Where the page is unless said otherwise; any port, if this one is taken. */
const USUAL: HostPort = { host: "127.0.0.1", port: 7060 };

/** A scenario that is played beside the lab, as pages see it. */
export interface ShownPlay {
  add(record: TraceRecord): void;
  readonly through: (stage: Stage) => Stage;
  ended(passed: boolean, epochMs: number): void;
}

interface Live {
  readonly stage: LabStage;
  readonly scenario: Scenario;
  readonly play: (name: string) => Promise<void>;
}

export class LabPage {
  readonly #feed = new Feed();
  readonly #scenarios = loadScenarios("all").scenarios;
  readonly #held = new Map<string, { trace: FeedTrace; hold: Hold }>();
  #dashboard: Dashboard | undefined;
  #live: Live | undefined;

  /** @throws StageFault when the address cannot be had. */
  static async open(place: HostPort | undefined, token: string | undefined): Promise<LabPage> {
    const page = new LabPage();
    const { host, port } = place ?? USUAL;
    const parts = {
      host,
      token: token ?? newToken(),
      feed: page.#feed,
      scenarios: page.#scenarios.map(({ name, title }) => ({ name, title })),
      scope: () => page.#scope(),
      obey: (command: PageCommand) => page.#obey(command),
    };
    const missing = (error: Error): never => {
      throw new StageFault(`tcp ${host}:${port} cannot be had: ${error.message}`);
    };
    const anyPort = (error: Error): Promise<Dashboard> =>
      place === undefined ? Dashboard.open({ ...parts, port: 0 }).catch(missing) : missing(error);
    page.#dashboard = await Dashboard.open({ ...parts, port }).catch(anyPort);
    return page;
  }

  get address(): string {
    return this.#dashboard?.address ?? "";
  }

  get invitation(): string {
    return this.#dashboard?.invitation ?? "";
  }

  /** The lab itself; told of each record with `add`. */
  live(scenario: Scenario, stage: LabStage, play: (name: string) => Promise<void>): FeedTrace {
    this.#live = { stage, scenario, play };
    return this.#feed.open(headerOf(scenario, "live", stage.epochMs), () => stage.now());
  }

  beside(scenario: Scenario): ShownPlay {
    let clock = (): number => 0;
    const trace = this.#feed.open(headerOf(scenario, "playing", Date.now()), () => clock());
    return {
      add: (record) => trace.add(record),
      through: (stage) => {
        const hold = new Hold();
        clock = () => stage.now();
        this.#held.set(trace.header.id, { trace, hold });
        return stageThrough(stage, { turn: () => hold.turn() });
      },
      ended: (passed, epochMs) => {
        this.#held.delete(trace.header.id);
        const last = trace.records.at(-1)?.at ?? 0;
        clock = () => last;
        trace.update({ standing: passed ? "passed" : "failed", held: false, epochMs });
      },
    };
  }

  close(): void {
    this.#dashboard?.close();
  }

  #scope(): CommandScope {
    const topology = this.#live?.scenario.topology;
    const { servers = [], phones = [], loads = [], zone, network } = topology ?? {};
    return {
      resolver: zone !== undefined,
      servers: servers.map(({ name }) => name),
      phones: phones.map(({ name }) => name),
      loads: network === undefined ? [] : loads.map(({ name }) => name),
      scenarios: this.#scenarios.map(({ name }) => name),
    };
  }

  async #obey(command: PageCommand): Promise<void> {
    if (this.#live === undefined) throw new StageFault("the lab is not up yet");
    const { stage, play } = this.#live;
    switch (command.do) {
      case "play":
        // Minutes may pass; how it ends is seen in its trace.
        void play(command.scenario).catch((error: Error) => this.#unplayed(command, error));
        break;
      case "pause":
      case "resume":
      case "step":
        this.#hold(command.do, command.trace);
        break;
      default:
        await obey(stage, command);
    }
  }

  #hold(how: "pause" | "resume" | "step", id: string): void {
    const held = this.#held.get(id);
    if (held === undefined) throw new StageFault("this scenario is not under way");
    held.hold[how]();
    held.trace.update({ held: held.hold.held });
  }

  #unplayed({ scenario }: { readonly scenario: string }, error: Error): void {
    const stage = this.#live?.stage;
    const why = error.message;
    stage?.note({ at: stage.now(), node: "lab", event: "scenario.missing", scenario, why });
  }
}

function headerOf(
  { title, topology }: Scenario,
  standing: TraceHeader["standing"],
  epochMs: number,
): Omit<TraceHeader, "id"> {
  return { title, epochMs, standing, held: false, virtual: false, ...shownCast(topology) };
}
