/** Who is there: a map with live health, a card with switches for each server, a line for each phone. */
import type { VNode } from "preact";
import { useState } from "preact/hooks";
import type { ServerFault, ShownCertificate } from "../../../scenario/scenario.ts";
import type { ShownPhone, ShownServer } from "../../protocol.ts";
import type { Trace } from "../model/trace.ts";
import type { Store } from "../store.ts";
import { NetworkSwitches } from "./network-switches.tsx";
import { Switch } from "./switch.tsx";
import { TopologyMap } from "./topology-map.tsx";
import { useStore } from "./use-store.ts";

export function Cast({ store }: { readonly store: Store }): VNode {
  useStore(store);
  const { current } = store;
  if (current === undefined) return <p class="empty">Waiting for the lab …</p>;
  const { servers, phones } = current.header;
  const live = current.header.standing === "live";
  return (
    <>
      <TopologyMap trace={current} />
      <section aria-label="Servers">
        {servers.map((server, index) => (
          <ServerCard
            key={server.name}
            store={store}
            trace={current}
            server={server}
            number={index + 1}
            live={live}
          />
        ))}
      </section>
      <section class="phones" aria-label="Phones">
        {phones.map((phone) => (
          <PhoneLine key={phone.name} store={store} trace={current} phone={phone} live={live} />
        ))}
      </section>
      {live && phones.length > 1 && <CallMaker store={store} trace={current} />}
      {live && <NetworkSwitches store={store} trace={current} />}
    </>
  );
}

/** No phone, but calls by the dozen. */
const LOAD = "sipp";

const HEALTH: Readonly<Record<string, string>> = {
  up: "up",
  suspect: "suspected",
  sick: "not serving",
  frozen: "frozen",
  down: "down",
};

interface ServerProps {
  readonly store: Store;
  readonly trace: Trace;
  readonly server: ShownServer;
  readonly number: number;
  readonly live: boolean;
}

function ServerCard({ store, trace, server, number, live }: ServerProps): VNode {
  const { name, role, tls, program, unmoved } = server;
  const health = trace.servers.healthOf(name);
  const trouble = trace.servers.troubleOf(name);
  const fault = (kind: ServerFault): void => {
    void store.send({ do: "fault", server: name, fault: kind });
  };
  const dead = health === "down" || health === "frozen";
  const word =
    health === "sick" && trouble !== ""
      ? trouble.replace("answer-503", "answers 503")
      : HEALTH[health];
  return (
    <article class={`card ${health}`} aria-label={`${name}, ${word}`}>
      <h2>
        <kbd>{number}</kbd> {name}
        <span class="role">{program ?? role}</span>
        <span class="state">{word}</span>
      </h2>
      {live && (
        <div class="switches">
          {dead ? (
            <Switch
              label={`Revive ${name}`}
              text="revive"
              press={() => fault({ kind: "revive" })}
              strong
            />
          ) : (
            <Switch label={`Kill ${name}`} text="kill" press={() => fault({ kind: "kill" })} />
          )}
          <Switch
            label={`Freeze ${name}`}
            text="freeze"
            press={() => fault({ kind: "freeze" })}
            off={dead}
          />
          <Switch
            label={`Let ${name} answer 503`}
            text="503"
            press={() => fault({ kind: "answer-503", retryAfterSeconds: undefined })}
            off={dead || unmoved !== undefined}
            why={unmoved}
          />
          <Switch
            label={`Let ${name} drop everything`}
            text="drop"
            press={() => fault({ kind: "drop" })}
            off={dead}
          />
          <Switch
            label={`Heal ${name}`}
            text="heal"
            press={() => fault({ kind: "heal" })}
            off={health !== "sick"}
          />
          <Switch
            label={`Reset the connections of ${name}`}
            text="reset"
            press={() => fault({ kind: "reset" })}
            off={dead}
          />
        </div>
      )}
      {live && tls === true && (
        <CertificateChoice name={name} set={(shown) => fault({ kind: "certificate", shown })} />
      )}
    </article>
  );
}

interface CertificateProps {
  readonly name: string;
  readonly set: (shown: ShownCertificate) => void;
}

function CertificateChoice({ name, set }: CertificateProps): VNode {
  return (
    <label class="certificate">
      shows in new TLS handshakes
      <select
        aria-label={`Certificate of ${name}`}
        onChange={(event) => set(event.currentTarget.value as ShownCertificate)}
      >
        <option value="good">its certificate</option>
        <option value="expired">an expired one</option>
        <option value="stranger">somebody else's</option>
      </select>
    </label>
  );
}

interface PhoneProps {
  readonly store: Store;
  readonly trace: Trace;
  readonly phone: ShownPhone;
  readonly live: boolean;
}

function PhoneLine({ store, trace, phone, live }: PhoneProps): VNode {
  const { registered, current, call, workingServer } = trace.phones.standingOf(phone.name);
  const places = [...registered].map(([server, name]) => `${server}: ${name}`).join(", ");
  const served = current !== "" && trace.servers.serves(current);
  const idle = phone.program === LOAD ? "load of calls" : "not registered";
  const where = current === "" ? idle : current;
  const lamp = phone.program === LOAD ? "phone load" : served ? "phone" : "phone out";
  return (
    <div class={lamp} title={places}>
      <span class="who">
        {phone.name} <small>{phone.user}</small>
        {phone.program !== undefined && <small> {phone.program}</small>}
      </span>
      <span class="where">
        <span class="lamp" /> {where}
        {registered.size > 1 && <small> +{registered.size - 1}</small>}
        {workingServer !== 1 && <small> server {workingServer}</small>}
      </span>
      <span class="call">{call}</span>
      {live && phone.program !== LOAD && <Fates store={store} trace={trace} name={phone.name} />}
    </div>
  );
}

interface FatesProps {
  readonly store: Store;
  readonly trace: Trace;
  readonly name: string;
}

function Fates({ store, trace, name }: FatesProps): VNode {
  const health = trace.servers.healthOf(name);
  const fate = (kind: "kill" | "freeze" | "revive"): void => {
    void store.send({ do: "fate", phone: name, fate: { kind } });
  };
  if (health === "down" || health === "frozen") {
    return (
      <span class="switches">
        <small>{health === "down" ? "killed" : "frozen"}</small>
        <Switch label={`Revive ${name}`} text="revive" press={() => fate("revive")} strong />
      </span>
    );
  }
  return (
    <span class="switches">
      <Switch label={`Kill ${name}`} text="kill" press={() => fate("kill")} />
      <Switch label={`Freeze ${name}`} text="freeze" press={() => fate("freeze")} />
    </span>
  );
}

function CallMaker({ store, trace }: { readonly store: Store; readonly trace: Trace }): VNode {
  const phones = trace.header.phones.filter(({ program }) => program !== LOAD);
  const names = phones.map(({ name }) => name);
  const [from, setFrom] = useState(names[0] ?? "");
  const [to, setTo] = useState(names[1] ?? "");
  const busy = trace.phones.standingOf(from).call !== "";
  const choice = (label: string, value: string, set: (name: string) => void): VNode => (
    <select aria-label={label} value={value} onChange={(event) => set(event.currentTarget.value)}>
      {names.map((name) => (
        <option key={name}>{name}</option>
      ))}
    </select>
  );
  return (
    <form
      class="caller"
      onSubmit={(event) => {
        event.preventDefault();
        const command = busy ? ({ kind: "hangup" } as const) : ({ kind: "call", to } as const);
        void store.send({ do: "phone", phone: from, command });
      }}
    >
      {choice("Who calls", from, setFrom)}
      <span aria-hidden="true">→</span>
      {choice("Who is called", to, setTo)}
      <button type="submit">{busy ? "Hang up" : "Call"}</button>
    </form>
  );
}
