/** A stage seen through something that may hold back what is done to it, or how time passes. */
import type { Stage } from "./stage.ts";

export interface StageHooks {
  /** Waited for before each deed. */
  readonly turn?: () => Promise<void>;
  /** Instead of the stage's own. */
  readonly pass?: (until: number) => Promise<void>;
}

export function stageThrough(stage: Stage, { turn, pass }: StageHooks): Stage {
  const after = async (deed: () => Promise<number>): Promise<number> => {
    await turn?.();
    return await deed();
  };
  return {
    get records() {
      return stage.records;
    },
    now: () => stage.now(),
    note: (record) => stage.note(record),
    open: (topology) => stage.open(topology),
    startServer: (name) => after(() => stage.startServer(name)),
    startPhone: (name) => after(() => stage.startPhone(name)),
    stopPhone: (name) => after(() => stage.stopPhone(name)),
    disturbServer: (name, fault) => after(() => stage.disturbServer(name, fault)),
    disturbPhone: (name, fate) => after(() => stage.disturbPhone(name, fate)),
    disturbWay: (ends, fault) => after(() => stage.disturbWay(ends, fault)),
    disturbDns: (fault) => after(() => stage.disturbDns(fault)),
    commandPhone: (name, command) => after(() => stage.commandPhone(name, command)),
    pass: pass ?? ((until) => stage.pass(until)),
    close: () => stage.close(),
  };
}
