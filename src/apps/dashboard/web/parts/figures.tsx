/** How long nobody served each phone, and how long each call took to be answered: counted while it happens. */
import type { VNode } from "preact";
import { seconds } from "../ladder/painter.ts";
import type { CallDelay, Outage } from "../model/outages.ts";
import type { Trace } from "../model/trace.ts";
import type { Store } from "../store.ts";
import { useStore } from "./use-store.ts";

/** The newest so many of each. */
const MOST_LISTED = 200;

export function Figures({ store }: { readonly store: Store }): VNode {
  useStore(store);
  const { current } = store;
  if (current === undefined) return <p class="empty">Nothing has happened yet.</p>;
  const { outages, calls } = current.outages;
  return (
    <div class="figures">
      <h2>Outages</h2>
      <Summary outages={outages} now={current.now} />
      {outages.length > 0 && <OutageTable trace={current} outages={outages.slice(-MOST_LISTED)} />}
      <h2>Calls</h2>
      {calls.length === 0 && <p class="empty">Nobody has called yet.</p>}
      {calls.length > 0 && <CallTable trace={current} calls={calls.slice(-MOST_LISTED)} />}
    </div>
  );
}

function Summary({
  outages,
  now,
}: {
  readonly outages: readonly Outage[];
  readonly now: number;
}): VNode {
  if (outages.length === 0) return <p class="empty">Every phone has been served so far.</p>;
  const lengths = outages.map(({ since, until }) => (until ?? now) - since).sort((a, b) => a - b);
  const open = outages.filter(({ until }) => until === undefined).length;
  const median = lengths[Math.floor(lengths.length / 2)] ?? 0;
  return (
    <p class="facts">
      {outages.length} outages · median {seconds(median)} s · longest {seconds(lengths.at(-1) ?? 0)}{" "}
      s{open > 0 && <b class="bad"> · {open} last</b>}
    </p>
  );
}

function OutageTable({
  trace,
  outages,
}: {
  readonly trace: Trace;
  readonly outages: readonly Outage[];
}): VNode {
  return (
    <table class="numbers-table" aria-label="Outages">
      <thead>
        <tr>
          <th>Phone</th>
          <th>From</th>
          <th>Why</th>
          <th>At</th>
          <th class="number">Out for</th>
          <th>Then at</th>
        </tr>
      </thead>
      <tbody>
        {outages.toReversed().map(({ phone, since, until, from, to, why }) => (
          <tr key={`${phone} ${since}`} class={until === undefined ? "open" : ""}>
            <td>{phone}</td>
            <td>{from}</td>
            <td>{why}</td>
            <td class="number">{seconds(since)}</td>
            <td class="number">{seconds((until ?? trace.now) - since)} s</td>
            <td>{until === undefined ? "…" : to}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function CallTable({
  trace,
  calls,
}: {
  readonly trace: Trace;
  readonly calls: readonly CallDelay[];
}): VNode {
  return (
    <table class="numbers-table" aria-label="Calls">
      <thead>
        <tr>
          <th>Caller</th>
          <th>Called</th>
          <th>At</th>
          <th class="number">Answered after</th>
        </tr>
      </thead>
      <tbody>
        {calls.toReversed().map(({ phone, peer, since, until, failed }) => (
          <tr key={`${phone} ${since}`} class={until === undefined && failed === "" ? "open" : ""}>
            <td>{phone}</td>
            <td>{peer}</td>
            <td class="number">{seconds(since)}</td>
            <td class="number">
              {failed === "" ? `${seconds((until ?? trace.now) - since)} s` : failed}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
