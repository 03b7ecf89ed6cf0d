/** The matrix as a page of documentation: one table for each fault, transports that fare alike in one column. */
import {
  FAULTS,
  type MatrixFault,
  type MatrixTransport,
  MEANINGS,
  METHODS,
  TRANSPORTS,
} from "./axes.ts";
import type { PlayedCell } from "./run.ts";
import { verdictText } from "./verdict.ts";

const NAMES: Readonly<Record<MatrixTransport, string>> = {
  udp: "UDP",
  tcp: "TCP",
  tls: "TLS",
  ws: "WebSocket",
};

const INTRODUCTION = `# The fault matrix

What a phone does when the server it is registered at fails: four transports, eleven faults, five kinds of request.
This page is written by \`dialtone sim --matrix --write docs/fault-matrix.md\`: each cell is played in the simulator and
compared with what the rules demand (\`src/apps/sim/matrix/expected.ts\`); forty of them are played on real sockets, too
(\`test/node/matrix.test.ts\`).

**The phone** has one account with the makers' defaults (Yealink, Matrix): registered at all servers at once, 3 retries,
T1 of 0.5 s. Its working server is a name with two targets, *primary* and *secondary*, which share what they know; its
*fallback* server has an address of its own. Keep-alives are off, so that what requests find out is seen. Before the
fault all is well: the phone is registered, its subscription stands, the BYE belongs to a call that is up. REGISTER is a
renewal, SUBSCRIBE the refresh of message-summary inside its dialog, OPTIONS a request that stands alone.

**A cell** lists in order what becomes of the request at each place, and what its user gets. A time stands where it is
another than before, counted from when fault and request meet; without one it is at once.

| words | mean |
| --- | --- |
| primary ×4 timeout 7.5 s | sent there four times, left after 7.5 s |
| registers anew | the flow is lost, and the binding that hung on it is made anew |
| primary late 200 | the answer of a place that was left |
| again in 30 s | the next try: the makers' sub_fail_retry_interval, or Retry-After |
| not registered there | the working server holds no registration; tried again after 30 s (reg_fail_retry_interval) |
| fallback in charge | new requests go to the fallback first |
`;

export function matrixPage(played: readonly PlayedCell[]): string {
  const sections = FAULTS.map((fault) => section(fault, played));
  return [INTRODUCTION, ...sections].join("\n");
}

function section(fault: MatrixFault, played: readonly PlayedCell[]): string {
  const { title, datagrams, streams, rules } = MEANINGS[fault];
  const meaning =
    streams === "the same"
      ? [`${capital(datagrams)}.`]
      : [`UDP: ${datagrams}.`, `TCP, TLS, WebSocket: ${streams}.`];
  const columns = new Map<string, MatrixTransport[]>();
  for (const transport of TRANSPORTS) {
    const texts = METHODS.map((method) => {
      const one = played.find(
        ({ cell }) =>
          cell.fault === fault && cell.transport === transport && cell.method === method,
      );
      return verdictText(one?.seen ?? []);
    });
    const column = texts.join("|");
    columns.set(column, [...(columns.get(column) ?? []), transport]);
  }
  const heads = [...columns.values()].map((alike) => alike.map((one) => NAMES[one]).join(", "));
  const bodies = [...columns.keys()].map((column) => column.split("|"));
  const rows = METHODS.map((method, index) => [method, ...bodies.map((body) => body[index] ?? "")]);
  return [
    `## ${capital(title)}`,
    "",
    ...meaning,
    `Rules: ${rules}.`,
    "",
    line(["", ...heads]),
    line(["---", ...heads.map(() => "---")]),
    ...rows.map(line),
    "",
  ].join("\n");
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}
