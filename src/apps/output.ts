/** Events on stdout: one JSON object a line, or a line for people. */
import type { TimedEvent } from "../worlds/node/driver.ts";

/** @param json one object a line, and nothing else on stdout. */
export function eventPrinter(json: boolean): (event: TimedEvent) => void {
  if (json) return (event) => void process.stdout.write(`${JSON.stringify(event)}\n`);
  return (event) => void process.stdout.write(`${readable(event)}\n`);
}

/** `+7.503 s  request.failed-over  method REGISTER, from udp:…, to udp:…`. */
export function readable(event: TimedEvent): string {
  const { at, time: _time, node: _node, event: name, ...fields } = event;
  const details = Object.entries(fields)
    .filter(([, value]) => value !== undefined && value !== "")
    .map(([key, value]) => `${key} ${String(value)}`)
    .join(", ");
  const seconds = `+${(at / 1000).toFixed(3)} s`.padStart(12);
  return `${seconds}  ${name.padEnd(24)} ${details}`.trimEnd();
}
