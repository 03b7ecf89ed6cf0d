/** `--phones N`: more phones than a scenario names, each like the scenario's own in turn, started beside it. */
import type { PhonePlan, Scenario, Step } from "../scenario/scenario.ts";

const FIRST_USER = 3001;

/** The scenario with `wanted` phones; fewer than it names are never taken away. */
export function crowd(scenario: Scenario, wanted: number | undefined): Scenario {
  const { phones } = scenario.topology;
  const missing = Math.max(0, (wanted ?? 0) - phones.length);
  if (missing === 0 || phones.length === 0) return scenario;
  const added = Array.from({ length: missing }, (_, index): [PhonePlan, PhonePlan] => {
    const model = phones[index % phones.length] as PhonePlan;
    const user = String(FIRST_USER + index);
    const name = `phone-${phones.length + index + 1}`;
    return [model, { ...model, name, user, password: `lab-${user}` }];
  });
  const steps = scenario.steps.flatMap((step) => {
    const beside = added
      .filter(([model]) => step.action.do === "start-phone" && step.action.name === model.name)
      .map(([, phone]): Step => {
        const text = `start phone ${phone.name}`;
        return {
          ...step,
          text,
          at: undefined,
          mark: undefined,
          action: { do: "start-phone", name: phone.name },
        };
      });
    return [step, ...beside];
  });
  const topology = {
    ...scenario.topology,
    phones: [...phones, ...added.map(([, phone]) => phone)],
  };
  return { ...scenario, topology, steps };
}
