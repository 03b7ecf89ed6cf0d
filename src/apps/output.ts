/** Events on stdout: one JSON object a line, or a line for people. */
import type { TimedEvent } from "../worlds/node/driver.ts";

/** @param json one object a line, and nothing else on stdout. */
export function eventPrinter(json: boolean): (event: TimedEvent) => void {
  if (json) return (event) => void process.stdout.write(`${JSON.stringify(event)}\n`);
  return (event) => void process.stdout.write(`${readable(event)}\n`);
}

/** `+7.503 s  request.failed-over  method REGISTER, from udp:…, to udp:…`; a message (`--trace`) below its line. */
export function readable(event: TimedEvent): string {
  const { at, time: _time, node: _node, event: name, ...fields } = event;
  const seconds = `+${(at / 1000).toFixed(3)} s`.padStart(12);
  const message = name.startsWith("message.") ? fields.data : undefined;
  if (typeof message === "string") {
    const arrow = name === "message.sent" ? "→" : "←";
    const way = `${String(fields.transport)} ${String(fields.local)} ${arrow} ${String(fields.remote)}`;
    return `${seconds}  ${name.padEnd(24)} ${way}\n${indented(message)}`;
  }
  return `${seconds}  ${name.padEnd(24)} ${detailsOf(fields)}`.trimEnd();
}

/** `method REGISTER, from udp:…`: the fields that say something. */
export function detailsOf(fields: Readonly<Record<string, unknown>>): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined && value !== "")
    .map(([key, value]) => `${key} ${String(value)}`)
    .join(", ");
}

/** A message as people read it; what would steer their terminal is shown as a dot. */
function indented(data: string): string {
  const lines = Buffer.from(data, "base64").toString("utf8").trimEnd().split(/\r?\n/);
  const shown = lines.map((line) => `    ${line.replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, "·")}`.trimEnd());
  return `${shown.join("\n")}\n`;
}
