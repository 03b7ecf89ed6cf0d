/** Servers above, phones below, a line from each phone to where it is registered: thick where its next request goes. */
import type { VNode } from "preact";
import type { Trace } from "../model/trace.ts";

const WIDTH = 300;
const SERVER_Y = 26;
const PHONES_Y = 104;
const ROW = 30;
const MOST_IN_ROW = 10;
/** Names are written under so few. */
const NAMED = 6;

export function TopologyMap({ trace }: { readonly trace: Trace }): VNode {
  const { servers, phones } = trace.header;
  const inRow = Math.min(MOST_IN_ROW, phones.length);
  const rows = Math.ceil(phones.length / Math.max(1, inRow));
  const height = PHONES_Y + rows * ROW;
  const serverX = (index: number): number => ((index + 0.5) * WIDTH) / servers.length;
  const phoneX = (index: number): number => (((index % inRow) + 0.5) * WIDTH) / inRow;
  const phoneY = (index: number): number => PHONES_Y + Math.floor(index / inRow) * ROW;
  const wires: VNode[] = [];
  phones.forEach((phone, index) => {
    const { registered, current } = trace.phones.standingOf(phone.name);
    for (const place of new Set(registered.values())) {
      const at = servers.findIndex(({ name }) => name === place);
      if (at < 0) continue;
      const kind = `wire ${place === current ? "current" : "spare"} ${trace.servers.healthOf(place)}`;
      const key = `${phone.name} ${place}`;
      wires.push(
        <line
          key={key}
          class={kind}
          x1={phoneX(index)}
          y1={phoneY(index) - 9}
          x2={serverX(at)}
          y2={SERVER_Y + 14}
        />,
      );
    }
  });
  const words = phones.map(
    ({ name }) => `${name} at ${trace.phones.standingOf(name).current || "nowhere"}`,
  );
  return (
    <svg
      class="map"
      viewBox={`0 0 ${WIDTH} ${height}`}
      role="img"
      aria-label={`Topology: ${words.join(", ")}`}
    >
      {wires}
      {servers.map(({ name }, index) => (
        <g key={name} class={`node ${trace.servers.healthOf(name)}`}>
          <rect x={serverX(index) - 44} y={SERVER_Y - 14} width="88" height="28" rx="3" />
          <text x={serverX(index)} y={SERVER_Y + 4}>
            {name}
          </text>
        </g>
      ))}
      {phones.map(({ name, program }, index) => {
        const { current, call } = trace.phones.standingOf(name);
        const served = current !== "" && trace.servers.serves(current);
        // A load of calls registers nowhere, and lacks nothing.
        const state = served ? "served" : program === "sipp" ? "" : "out";
        return (
          <g key={name} class={`handset ${state} ${call === "" ? "" : "talking"}`}>
            <circle cx={phoneX(index)} cy={phoneY(index)} r="7" />
            {phones.length <= NAMED && (
              <text x={phoneX(index)} y={phoneY(index) + 21}>
                {name}
              </text>
            )}
          </g>
        );
      })}
    </svg>
  );
}
