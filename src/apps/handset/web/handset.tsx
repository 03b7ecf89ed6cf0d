/** The handset: lines above, the call and the keys in the middle, lamps and what the phone has decided below. */
import type { VNode } from "preact";
import { useEffect, useState } from "preact/hooks";
import type {
  HandsetStanding,
  Notice,
  ShownAccount,
  ShownCall,
  ShownLamp,
  ShownServer,
} from "../standing.ts";
import { listen, type Pressed, press } from "./line.ts";

const DIGITS = "123456789*0#";
const EMPTY: HandsetStanding = { accounts: [], calls: [], lamps: [], notices: [] };

type Press = (pressed: Pressed) => void;

export function HandsetView(): VNode {
  const [standing, setStanding] = useState(EMPTY);
  const [connected, setConnected] = useState(true);
  const [refusal, setRefusal] = useState("");
  const [number, setNumber] = useState("");
  const [account, setAccount] = useState("");
  useEffect(() => listen({ standing: setStanding, connected: setConnected }), []);
  const pressing: Press = (pressed) => {
    setRefusal("");
    press(pressed).catch((error: Error) => setRefusal(error.message));
  };
  const call = standing.calls.at(-1);
  const dial = (): void => {
    if (number.trim() === "") return;
    pressing({ do: "call", to: number, ...(account === "" ? {} : { account }) });
  };
  const up = standing.calls.filter(({ answeredAt }) => answeredAt !== undefined);
  const transferable = up.length > 1 || (up.length === 1 && number.trim() !== "");
  const transfer = (): void => {
    pressing({ do: "transfer", ...(number.trim() === "" ? {} : { to: number }) });
  };
  const digit = (key: string): void => {
    if (call?.answeredAt !== undefined) pressing({ do: "keys", keys: key });
    else setNumber(number + key);
  };
  return (
    <>
      {!connected && <p class="alarm">The phone does not answer this page.</p>}
      <section aria-label="Lines">
        {standing.accounts.map((one) => (
          <Line key={one.name} account={one} pressing={pressing} />
        ))}
      </section>
      <section aria-label="Calls">
        {standing.calls.length === 0 && <p class="faint">No call.</p>}
        {standing.calls.map((one) => (
          <Call key={one.call} call={one} current={one === call} pressing={pressing} />
        ))}
      </section>
      <form
        aria-label="Dial"
        onSubmit={(event) => {
          event.preventDefault();
          dial();
        }}
      >
        <input
          aria-label="Number or address"
          placeholder="Number or sip:user@domain"
          autocomplete="off"
          value={number}
          onInput={(event) => setNumber(event.currentTarget.value)}
        />
        {standing.accounts.length > 1 && (
          <select
            aria-label="Line to call from"
            value={account}
            onChange={(event) => setAccount(event.currentTarget.value)}
          >
            {standing.accounts.map(({ name }, index) => (
              <option key={name} value={index === 0 ? "" : name}>
                {name}
              </option>
            ))}
          </select>
        )}
        <button class="go" type="submit">
          Call
        </button>
        {transferable && (
          <button type="button" onClick={transfer}>
            Transfer
          </button>
        )}
      </form>
      <div class="keys">
        {[...DIGITS].map((key) => (
          <button key={key} type="button" onClick={() => digit(key)}>
            {key}
          </button>
        ))}
      </div>
      <p class="refusal" role="status">
        {refusal}
      </p>
      {standing.lamps.length > 0 && <Lamps lamps={standing.lamps} />}
      <Notices notices={standing.notices} />
    </>
  );
}

interface LineProps {
  readonly account: ShownAccount;
  readonly pressing: Press;
}

function Line({ account, pressing }: LineProps): VNode {
  const { name, servers, waiting, messages, box } = account;
  const served = servers.some(({ state }) => state === "registered");
  return (
    <article class={served ? "line served" : "line"} aria-label={`${name}, ${inWords(servers)}`}>
      <h2>{name}</h2>
      {waiting && (
        <p class="waiting">{messages === undefined ? "" : `${messages} `}messages wait</p>
      )}
      {box !== "" && (
        <button type="button" onClick={() => pressing({ do: "call", to: box, account: name })}>
          Messages
        </button>
      )}
      <ul>
        {servers.map(({ server, state, target, why }) => (
          <li key={server} class={state}>
            server {server}: {state} {target} {why}
          </li>
        ))}
      </ul>
    </article>
  );
}

function inWords(servers: readonly ShownServer[]): string {
  const there = servers.filter(({ state }) => state === "registered").map(({ server }) => server);
  return there.length === 0 ? "registered nowhere" : `registered at server ${there.join(" and ")}`;
}

interface CallProps {
  readonly call: ShownCall;
  /** The keys act upon it. */
  readonly current: boolean;
  readonly pressing: Press;
}

function Call({ call, current, pressing }: CallProps): VNode {
  const { peer, direction, state, answeredAt } = call;
  const rings = direction === "incoming" && answeredAt === undefined;
  const holds = state === "held";
  return (
    <article class="call" aria-label={`Call ${state}`}>
      <p>
        {direction === "incoming" ? "from" : "to"} <strong>{peer}</strong>
      </p>
      <p>
        {state} {answeredAt !== undefined && <Clock since={answeredAt} />}
      </p>
      {current && (
        <div class="choices">
          {rings && (
            <button class="go" type="button" onClick={() => pressing({ do: "answer" })}>
              Answer
            </button>
          )}
          {answeredAt !== undefined && (
            <button type="button" onClick={() => pressing({ do: holds ? "resume" : "hold" })}>
              {holds ? "Resume" : "Hold"}
            </button>
          )}
          <button class="stop" type="button" onClick={() => pressing({ do: "hangup" })}>
            {rings ? "Reject" : "Hang up"}
          </button>
        </div>
      )}
    </article>
  );
}

function Clock({ since }: { readonly since: number }): VNode {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const ticking = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(ticking);
  }, []);
  const seconds = Math.max(0, Math.round((now - since) / 1000));
  const rest = String(seconds % 60).padStart(2, "0");
  return (
    <time>
      {Math.floor(seconds / 60)}:{rest}
    </time>
  );
}

function Lamps({ lamps }: { readonly lamps: readonly ShownLamp[] }): VNode {
  return (
    <section aria-label="Colleagues" class="lamps">
      {lamps.map(({ account, of, who, state }) => (
        <span key={`${account} ${of} ${who}`} class={`lamp ${state}`}>
          {who} {state}
        </span>
      ))}
    </section>
  );
}

function Notices({ notices }: { readonly notices: readonly Notice[] }): VNode {
  return (
    <section aria-label="What the phone does">
      <ol class="notices">
        {notices.map(({ time, event, text }) => (
          <li key={`${time} ${event} ${text}`}>
            <time>{time.slice(11, 19)}</time> <strong>{event}</strong> {text}
          </li>
        ))}
      </ol>
    </section>
  );
}
