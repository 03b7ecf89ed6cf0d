/** Whether a list of instants (milliseconds after a moment) is what an expectation demands, and how to tell it. */
import type { Demand } from "./scenario.ts";

export interface Outcome {
  readonly met: boolean;
  /** What a figure shows. */
  readonly values: readonly number[];
  readonly text: string;
  /** What there was, for a failure. */
  readonly seen: string;
}

export function meetDemand(demand: Demand, instants: readonly number[]): Outcome {
  switch (demand.kind) {
    case "at":
      return meetInstants(demand, instants);
    case "between": {
      const first = instants.find((at) => at >= demand.fromMs) ?? instants[0];
      const met = first !== undefined && first >= demand.fromMs && first <= demand.toMs;
      return outcome(met, first === undefined ? [] : [first], instants);
    }
    case "never":
      return outcome(instants.length === 0, [], instants, "never");
    case "every":
      return meetPeriod(demand, instants);
    case "count": {
      const met = instants.length >= demand.least && instants.length <= demand.most;
      return outcome(met, [instants.length], instants, String(instants.length));
    }
  }
}

function meetInstants(demand: Demand & { kind: "at" }, instants: readonly number[]): Outcome {
  const values = instants.slice(0, demand.instants.length);
  const near = demand.instants.every((due, index) => {
    const at = values[index];
    return at !== undefined && Math.abs(at - due) <= demand.giveMs;
  });
  const noMore = !demand.only || instants.length === demand.instants.length;
  return outcome(near && noMore, values, instants);
}

function meetPeriod(demand: Demand & { kind: "every" }, instants: readonly number[]): Outcome {
  const periods = instants.slice(1).map((at, index) => at - (instants[index] as number));
  const even = periods.every((period) => Math.abs(period - demand.periodMs) <= demand.giveMs);
  const met = even && periods.length >= demand.least;
  return outcome(met, periods, instants);
}

function outcome(
  met: boolean,
  values: readonly number[],
  instants: readonly number[],
  text: string = inSeconds(values),
): Outcome {
  return { met, values, text, seen: instants.length === 0 ? "none" : `at ${inSeconds(instants)}` };
}

/** `0.00 0.50 1.50 s`. */
function inSeconds(values: readonly number[]): string {
  if (values.length === 0) return "none";
  return `${values.map((value) => (value / 1000).toFixed(2)).join(" ")} s`;
}

export function describeDemand(demand: Demand): string {
  switch (demand.kind) {
    case "at":
      return `at ${inSeconds(demand.instants)} (± ${demand.giveMs / 1000} s${demand.only ? ", no more" : ""})`;
    case "between":
      return `between ${demand.fromMs / 1000} and ${demand.toMs / 1000} s`;
    case "never":
      return "never";
    case "every":
      return `every ${demand.periodMs / 1000} s (± ${demand.giveMs / 1000} s)`;
    case "count":
      return demand.least === demand.most
        ? `${demand.least} times`
        : `${demand.least} to ${demand.most} times`;
  }
}
