/**
 * Plays a scenario on a stage, step after step, and hands back the trace. It judges nothing: a step that waits in
 * vain is noted (`scenario.stalled`) and ends the play.
 */
import type { TraceRecord } from "../trace/record.ts";
import type { Action, Deed, Fate, Scenario, ServerFault, Sought, Step } from "./scenario.ts";
import { Search } from "./search.ts";
import { hasReached, type Stage } from "./stage.ts";

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
  /**
   * Where `until` begins to search: at the last step that did something, so that several may come in any order; of
   * starts in a row at the first.
   */
  #searchFrom = 0;
  #starting = false;

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
    const done = await this.#act(action);
    if (step.mark !== undefined) this.#mark(step.mark, done);
    const starts = action.do === "start-phone" || action.do === "start-server";
    if (!starts) this.#searchFrom = done;
    else if (!this.#starting) this.#searchFrom = began;
    this.#starting = starts;
    return true;
  }

  /** Resolves with the instant of the deed: of a wait, when it began; of a phone or server, when it was ready. */
  async #act(action: Exclude<Action, { do: "until" }>): Promise<number> {
    const stage = this.#stage;
    switch (action.do) {
      case "start-server":
        return stage.startServer(action.name);
      case "start-phone":
        return stage.startPhone(action.name);
      case "stop-phone":
        return stage.stopPhone(action.name);
      case "restart": {
        const down = await disturb(stage, action.server, { kind: "stop" });
        await this.#wait(down + action.downMs);
        await disturb(stage, action.server, { kind: "revive" });
        return down;
      }
      case "restart-phone": {
        const down = await befall(stage, action.phone, { kind: "stop" });
        await this.#wait(down + action.downMs);
        await befall(stage, action.phone, { kind: "revive" });
        return down;
      }
      case "wait": {
        const began = stage.now();
        await this.#wait(began + action.ms);
        return began;
      }
      default:
        return obey(stage, action);
    }
  }

  async #wait(until: number): Promise<void> {
    while (!hasReached(this.#stage, until)) await this.#stage.pass(until);
  }

  /** When the thing sought happened, at or after the last step that did something. */
  async #seek(sought: Sought, until: number): Promise<number | undefined> {
    const search = new Search(sought, this.#stage.records, this.#searchFrom);
    for (;;) {
      const found = search.look();
      if (found !== undefined || hasReached(this.#stage, until)) return found;
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

/**
 * Does it, notes a fault for the ladder and the judge, and resolves with when it took effect.
 * @throws StageFault when it cannot be done.
 */
export async function obey(stage: Stage, deed: Deed): Promise<number> {
  switch (deed.do) {
    case "fault":
      return disturb(stage, deed.server, deed.fault);
    case "fate":
      return befall(stage, deed.phone, deed.fate);
    case "way": {
      const { ends, fault } = deed;
      const at = await stage.disturbWay(ends, fault);
      const [node, other = ""] = ends;
      const between = other === "" ? {} : { with: other };
      stage.note({ at, node, event: "way.disturbed", how: fault.kind, ...between });
      return at;
    }
    case "dns": {
      const at = await stage.disturbDns(deed.fault);
      stage.note({ at, node: "dns", event: "dns.disturbed", how: deed.fault.kind });
      return at;
    }
    case "phone":
      return stage.commandPhone(deed.phone, deed.command);
  }
}

/**
 * Does it to a server, notes it for the ladder and the judge, and resolves with when it took effect.
 * @throws StageFault when the server will not.
 */
export async function disturb(stage: Stage, server: string, fault: ServerFault): Promise<number> {
  const at = await stage.disturbServer(server, fault);
  stage.note(disturbance(at, server, fault));
  return at;
}

/** As `disturb`, to the process of a phone. */
async function befall(stage: Stage, phone: string, fate: Fate): Promise<number> {
  const at = await stage.disturbPhone(phone, fate);
  stage.note({ at, node: phone, event: `phone.${FATES[fate.kind]}` });
  return at;
}

const FATES = { kill: "killed", stop: "halted", freeze: "frozen", revive: "revived" } as const;

function disturbance(at: number, server: string, fault: ServerFault): TraceRecord {
  if (fault.kind in FATES) {
    return { at, node: server, event: `server.${FATES[fault.kind as keyof typeof FATES]}` };
  }
  const how = fault.kind === "certificate" ? `${fault.shown} certificate` : fault.kind;
  return { at, node: server, event: "server.disturbed", how };
}
