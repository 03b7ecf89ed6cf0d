/**
 * Plays a scenario on a stage, step after step, and hands back the trace. It judges nothing: a step that waits in
 * vain is noted (`scenario.stalled`) and ends the play.
 */
import { deliveries } from "../trace/deliveries.ts";
import { Places, type TraceRecord } from "../trace/record.ts";
import { CLOCK_GIVE_MS, matchesDelivery, matchesEvent } from "./pattern.ts";
import type { Action, Scenario, ServerFault, Sought, Step } from "./scenario.ts";
import type { Stage } from "./stage.ts";

/** The node that the runner's own records carry. */
const RUNNER = "scenario";

/** @throws StageFault when the stage cannot be had; it is closed all the same. */
export async function play(scenario: Scenario, stage: Stage): Promise<readonly TraceRecord[]> {
  try {
    await playOpen(scenario, stage);
  } finally {
    await stage.close();
  }
  return stage.records;
}

/** As `play`, but leaves the stage as it is at the end. */
export async function playOpen(scenario: Scenario, stage: Stage): Promise<void> {
  await stage.open(scenario.topology);
  await new Play(scenario, stage).run();
}

class Play {
  readonly #scenario: Scenario;
  readonly #stage: Stage;
  readonly #moments = new Map<string, number>();
  /** Where `until` begins to search: at the last step that did something, so that several may come in any order. */
  #searchFrom = 0;

  constructor(scenario: Scenario, stage: Stage) {
    this.#scenario = scenario;
    this.#stage = stage;
  }

  async run(): Promise<void> {
    this.#mark("start", this.#stage.now());
    for (const step of this.#scenario.steps) {
      if (await this.#perform(step)) continue;
      this.#note("scenario.stalled", { line: step.line, step: step.text });
      break;
    }
    await this.#wait(this.#stage.now() + this.#scenario.settleMs);
    this.#mark("end", this.#stage.now());
  }

  async #perform(step: Step): Promise<boolean> {
    if (step.at !== undefined) {
      await this.#wait((this.#moments.get(step.at.moment) ?? 0) + step.at.ms);
    }
    const began = this.#stage.now();
    const { action } = step;
    if (action.do === "until") {
      const found = await this.#seek(action.seen, began + action.withinMs);
      if (found === undefined) return false;
      if (step.mark !== undefined) this.#mark(step.mark, found);
      return true;
    }
    if (step.mark !== undefined) this.#mark(step.mark, began);
    this.#searchFrom = began;
    await this.#act(action);
    return true;
  }

  async #act(action: Exclude<Action, { do: "until" }>): Promise<void> {
    const stage = this.#stage;
    switch (action.do) {
      case "start-server":
        await stage.startServer(action.name);
        break;
      case "start-phone":
        await stage.startPhone(action.name);
        break;
      case "stop-phone":
        await stage.stopPhone(action.name);
        break;
      case "fault":
        stage.note(disturbance(stage.now(), action.server, action.fault));
        await stage.disturbServer(action.server, action.fault);
        break;
      case "dns":
        stage.note({
          at: stage.now(),
          node: "dns",
          event: "dns.disturbed",
          how: action.fault.kind,
        });
        await stage.disturbDns(action.fault);
        break;
      case "phone":
        await stage.commandPhone(action.phone, action.command);
        break;
      case "wait":
        await this.#wait(stage.now() + action.ms);
        break;
    }
  }

  async #wait(until: number): Promise<void> {
    while (this.#stage.now() < until) await this.#stage.pass(until);
  }

  /** When the thing sought happened, at or after the last step that did something. */
  async #seek(sought: Sought, until: number): Promise<number | undefined> {
    for (;;) {
      const found = firstMatch(sought, this.#stage.records, this.#searchFrom);
      if (found !== undefined || this.#stage.now() >= until) return found;
      await this.#stage.pass(until);
    }
  }

  #mark(name: string, at: number): void {
    this.#moments.set(name, at);
    this.#stage.note({ at, node: RUNNER, event: "moment.reached", name });
  }

  #note(event: string, fields: Readonly<Record<string, string | number>>): void {
    this.#stage.note({ at: this.#stage.now(), node: RUNNER, event, ...fields });
  }
}

/** What is done to a server, as the ladder and the judge read it. */
export function disturbance(at: number, server: string, fault: ServerFault): TraceRecord {
  const fate = { kill: "killed", freeze: "frozen", revive: "revived" } as const;
  if (fault.kind in fate) {
    return { at, node: server, event: `server.${fate[fault.kind as keyof typeof fate]}` };
  }
  return { at, node: server, event: "server.disturbed", how: fault.kind };
}

function firstMatch(
  sought: Sought,
  records: readonly TraceRecord[],
  from: number,
): number | undefined {
  const earliest = from - CLOCK_GIVE_MS;
  if (sought.kind === "message") {
    return deliveries(records).find((one) => one.at >= earliest && matchesDelivery(sought, one))
      ?.at;
  }
  const places = new Places(records);
  return records.find((one) => one.at >= earliest && matchesEvent(sought, one, places))?.at;
}
