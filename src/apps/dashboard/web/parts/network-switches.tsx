/** What can befall the way between two nodes, and the resolver: chosen, done, listed while it lasts, healed. */
import type { VNode } from "preact";
import { useState } from "preact/hooks";
import type { DnsFault, Ends, WayFault } from "../../../scenario/scenario.ts";
import type { Trace } from "../model/trace.ts";
import type { WayTrouble } from "../model/troubles.ts";
import type { Store } from "../store.ts";
import { Switch } from "./switch.tsx";

const RESOLVER = "dns";
const EVERYBODY = "";
const UNREACHED =
  "Both are programs of others: nothing of the lab stands between them unless the scenario says network: namespaces.";

interface Offer {
  readonly text: string;
  readonly fault: WayFault;
}

/** As much of each as shows: a share that phones notice, a delay that a resend overtakes. */
const OFFERS: readonly Offer[] = [
  { text: "nothing gets through", fault: { kind: "drop" } },
  { text: "refused", fault: { kind: "refuse" } },
  { text: "30 % lost", fault: { kind: "lose", share: 0.3 } },
  { text: "0.7 s late", fault: { kind: "delay", ms: 700 } },
  { text: "30 % twice", fault: { kind: "duplicate", share: 0.3 } },
  { text: "30 % out of order", fault: { kind: "reorder", share: 0.3, ms: 50 } },
];

interface NetworkProps {
  readonly store: Store;
  readonly trace: Trace;
}

export function NetworkSwitches({ store, trace }: NetworkProps): VNode {
  const { header, troubles } = trace;
  return (
    <section class="network" aria-label="Network">
      <h2>What befalls the way between</h2>
      <WayMaker store={store} trace={trace} />
      {troubles.ways.map((way) => (
        <WayLine key={way.ends.join(" ")} store={store} way={way} />
      ))}
      {header.resolver === true && <ResolverLine store={store} trace={trace} />}
    </section>
  );
}

function WayMaker({ store, trace }: NetworkProps): VNode {
  const { servers, phones, resolver, networked } = trace.header;
  // Where all stand on one loopback interface, only ours do something to their packets.
  const standing = phones.filter(({ program }) => networked === true || program !== "sipp");
  const all = [...standing, ...servers];
  const nodes = all.map(({ name }) => name);
  const [from, setFrom] = useState(nodes[0] ?? "");
  const [to, setTo] = useState(EVERYBODY);
  const [chosen, setChosen] = useState(0);
  // The resolver does not notice less than being cut off.
  const offers = to === RESOLVER ? OFFERS.slice(0, 1) : OFFERS;
  const offer = offers[chosen] ?? (OFFERS[0] as Offer);
  const ours = (name: string): boolean =>
    all.every((node) => node.name !== name || node.program === undefined);
  const apart = to === EVERYBODY || to === RESOLVER || ours(from) || ours(to);
  const why = networked === true || apart ? undefined : UNREACHED;
  const ends: Ends = to === EVERYBODY ? [from] : [from, to];
  return (
    <form
      class="way"
      onSubmit={(event) => {
        event.preventDefault();
        void store.send({ do: "way", ends, fault: offer.fault });
      }}
    >
      <select
        aria-label="The way from"
        value={from}
        onChange={(event) => setFrom(event.currentTarget.value)}
      >
        {nodes.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
      <select
        aria-label="The way to"
        value={to}
        onChange={(event) => setTo(event.currentTarget.value)}
      >
        <option value={EVERYBODY}>everybody else</option>
        {nodes
          .filter((name) => name !== from)
          .map((name) => (
            <option key={name}>{name}</option>
          ))}
        {resolver === true && <option value={RESOLVER}>the resolver</option>}
      </select>
      <select
        aria-label="What befalls it"
        value={String(OFFERS.indexOf(offer))}
        onChange={(event) => setChosen(Number(event.currentTarget.value))}
      >
        {offers.map(({ text }, index) => (
          <option key={text} value={String(index)}>
            {text}
          </option>
        ))}
      </select>
      <button type="submit" disabled={why !== undefined} title={why}>
        Do
      </button>
      {why !== undefined && <small class="refused">{why}</small>}
    </form>
  );
}

const WORDS: Readonly<Record<string, string>> = {
  drop: "nothing gets through",
  refuse: "refused",
  lose: "packets lost",
  delay: "late",
  duplicate: "packets twice",
  reorder: "out of order",
};

function WayLine({ store, way }: { readonly store: Store; readonly way: WayTrouble }): VNode {
  const [node, other] = way.ends;
  const between = `${node} ⇹ ${other === RESOLVER ? "resolver" : (other ?? "everybody")}`;
  const heal = (): void => void store.send({ do: "way", ends: way.ends, fault: { kind: "heal" } });
  return (
    <p class="trouble">
      <span>
        {between}: {WORDS[way.how] ?? way.how}
      </span>
      <Switch label={`Heal the way ${between}`} text="heal" press={heal} />
    </p>
  );
}

const RESOLVER_STATES: Readonly<Record<string, string>> = {
  silent: "silent",
  servfail: "answers SERVFAIL",
  lie: "lies",
};

function ResolverLine({ store, trace }: NetworkProps): VNode {
  const state = trace.troubles.resolver;
  const liar = trace.header.servers.at(-1)?.name ?? "";
  const fault = (kind: DnsFault): void => void store.send({ do: "dns", fault: kind });
  const word = RESOLVER_STATES[state] ?? "answers";
  return (
    <article class={state === "" ? "card up" : "card sick"} aria-label={`resolver, ${word}`}>
      <h2>
        resolver <span class="role">DNS</span>
        <span class="state">{word}</span>
      </h2>
      <div class="switches">
        <Switch
          label="Silence the resolver"
          text="silent"
          press={() => fault({ kind: "silent" })}
        />
        <Switch
          label="Let the resolver answer SERVFAIL"
          text="servfail"
          press={() => fault({ kind: "servfail" })}
        />
        <Switch
          label={`Let the resolver say ${liar} for every name`}
          text={`lie: ${liar}`}
          press={() => fault({ kind: "lie", address: liar })}
        />
        <Switch
          label="Heal the resolver"
          text="heal"
          press={() => fault({ kind: "heal" })}
          off={state === ""}
        />
      </div>
    </article>
  );
}
