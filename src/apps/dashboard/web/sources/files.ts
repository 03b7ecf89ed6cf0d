/** Files that somebody chose or dropped: recorded traces (`--json`, a report's lab.json) and captures of others. */
import { readCapture } from "../../../capture/read-capture.ts";
import { parseRecord, type TraceRecord } from "../../../trace/record.ts";
import type { ShownPhone, ShownServer, TraceHeader } from "../../protocol.ts";

export interface OpenedFile {
  readonly header: TraceHeader;
  readonly records: readonly TraceRecord[];
}

let opened = 0;

/**
 * One trace, or one for each scenario of the file.
 * @throws Error in words for people when the file is nothing of the kind.
 */
export async function openFile(file: File): Promise<readonly OpenedFile[]> {
  const head = new Uint8Array(await file.slice(0, 64).arrayBuffer());
  const first = String.fromCharCode(...head).trimStart()[0];
  if (first === "[") return openReport(file.name, await file.text());
  if (first === "{") return openLines(file);
  const reading = readCapture(new Uint8Array(await file.arrayBuffer()));
  if (reading === undefined) {
    throw new Error(`${file.name} is neither a trace (--json) nor a capture (pcap, pcapng, HEP)`);
  }
  if (reading.records.length === 0) {
    throw new Error(`${file.name}: no SIP in its ${reading.others} packets`);
  }
  return [opening(file.name, reading.records, reading.epochMs)];
}

/** Read while it comes, so that a large file needs no second copy of itself. */
async function openLines(file: File): Promise<readonly OpenedFile[]> {
  const scenarios = new Map<string, TraceRecord[]>();
  const take = (line: string): void => {
    const record = parseRecord(line);
    if (record === undefined) return;
    const name = String(record.scenario ?? "");
    const records = scenarios.get(name);
    if (records === undefined) scenarios.set(name, [record]);
    else records.push(record);
  };
  const decoder = new TextDecoder();
  let held = "";
  for (let at = 0; at < file.size; at += SLICE) {
    const bytes = await file.slice(at, at + SLICE).arrayBuffer();
    const lines = (held + decoder.decode(bytes, { stream: true })).split("\n");
    held = lines.pop() as string;
    for (const line of lines) take(line);
  }
  take(held);
  if (scenarios.size === 0) throw new Error(`${file.name} has no record in it`);
  return [...scenarios].map(([name, records]) => {
    const title = name === "" ? file.name : `${name} (${file.name})`;
    return opening(title, records, epochOf(records));
  });
}

const SLICE = 8_000_000;

/** `lab.json` as `--report` writes it. */
function openReport(name: string, text: string): readonly OpenedFile[] {
  const value: unknown = JSON.parse(text);
  const plays = (Array.isArray(value) ? value : []) as readonly {
    readonly scenario?: string;
    readonly title?: string;
    readonly records?: readonly TraceRecord[];
  }[];
  const found = plays.filter(({ records }) => Array.isArray(records));
  if (found.length === 0) throw new Error(`${name} is no report of the lab`);
  return found.map(({ scenario, title, records = [] }) =>
    opening(`${scenario ?? ""} ${title ?? ""}`.trim() || name, records, epochOf(records)),
  );
}

function opening(title: string, records: readonly TraceRecord[], epochMs: number): OpenedFile {
  opened += 1;
  const { servers, phones } = castOf(records);
  const id = `file-${opened}`;
  const state = { standing: "over", held: false, virtual: true } as const;
  return { header: { id, title, epochMs, servers, phones, ...state }, records };
}

function epochOf(records: readonly TraceRecord[]): number {
  const timed = records.find(({ time }) => typeof time === "string");
  return timed === undefined ? 0 : Date.parse(String(timed.time)) - timed.at;
}

/** Who took part, as far as the records tell. */
function castOf(records: readonly TraceRecord[]): {
  servers: ShownServer[];
  phones: ShownPhone[];
} {
  const servers = new Map<string, ShownServer>();
  const phones = new Map<string, ShownPhone>();
  for (const { event, node, role } of records) {
    if (event === "server.started") {
      servers.set(node, { name: node, role: role === "fallback" ? "fallback" : "working" });
    } else if (event === "phone.started" || event === "registration.accepted") {
      if (!phones.has(node)) phones.set(node, { name: node, user: "", files: [] });
    }
  }
  return { servers: [...servers.values()], phones: [...phones.values()] };
}
