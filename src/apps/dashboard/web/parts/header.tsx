/** Which trace is shown, how the line stands, and what can be done to the whole. */
import type { VNode } from "preact";
import type { Trace } from "../model/trace.ts";
import type { Store } from "../store.ts";
import { isDark, turnTheme } from "../theme.ts";
import { Opener } from "./opener.tsx";
import { useStore } from "./use-store.ts";

const STANDINGS: Readonly<Record<string, string>> = {
  live: "live",
  playing: "playing",
  passed: "passed",
  failed: "failed",
  over: "recorded",
};
const COLOURS: Readonly<Record<string, string>> = {
  status: "status",
  call: "dialog",
  cseq: "CSeq",
};

export function Header({ store }: { readonly store: Store }): VNode {
  useStore(store);
  const { current, connection, notice } = store;
  return (
    <header class="head">
      <h1>Dialtone</h1>
      <TraceChoice store={store} />
      {connection === "lost" && <span class="lamp bad">the lab is gone</span>}
      {current !== undefined && <Clock trace={current} />}
      <label class="filter">
        <span class="unseen">Filter</span>
        <input
          id="filter"
          type="search"
          placeholder="Filter  /"
          value={store.filterText}
          onInput={(event) => store.set({ filterText: event.currentTarget.value })}
        />
      </label>
      {store.canHold && <Transport store={store} held={current?.header.held === true} />}
      {store.onlyCall !== "" && (
        <button type="button" class="chip" onClick={() => store.toggleCall()}>
          one dialog ✕
        </button>
      )}
      <span class="space" />
      {notice !== "" && (
        <span class="notice" role="alert">
          {notice}
        </span>
      )}
      <button type="button" onClick={() => store.turnColours()} title="c">
        Colour: {COLOURS[store.colourBy]}
      </button>
      {store.scenarios.length > 0 && (
        <button type="button" title="p" onClick={() => store.set({ sheet: "scenarios" })}>
          Play
        </button>
      )}
      <Opener store={store} />
      <button type="button" onClick={() => store.set({ sheet: "export" })} title="e, F2">
        Export
      </button>
      <button
        type="button"
        title="t"
        aria-label={isDark() ? "Light" : "Dark"}
        onClick={() => {
          turnTheme();
          store.changed();
        }}
      >
        {isDark() ? "☀" : "☾"}
      </button>
      <button
        type="button"
        title="?, F1"
        aria-label="Help"
        onClick={() => store.set({ sheet: "help" })}
      >
        ?
      </button>
    </header>
  );
}

function TraceChoice({ store }: { readonly store: Store }): VNode {
  const traces = [...store.traces.values()];
  const { current } = store;
  return (
    <label class="trace-choice">
      <span class="unseen">Trace</span>
      <select
        value={current?.header.id ?? ""}
        onChange={(event) => {
          const chosen = store.traces.get(event.currentTarget.value);
          if (chosen !== undefined) store.show(chosen);
        }}
      >
        {traces.length === 0 && <option value="">no trace yet</option>}
        {traces.map(({ header }) => (
          <option value={header.id} key={header.id}>
            {STANDINGS[header.standing]} · {header.title}
          </option>
        ))}
      </select>
    </label>
  );
}

function Clock({ trace }: { readonly trace: Trace }): VNode {
  const { standing, speed } = trace.header;
  return (
    <span class="clock">
      <span class={`lamp ${standing === "failed" ? "bad" : trace.running ? "good" : "still"}`} />
      {(trace.now / 1000).toFixed(1)} s · {trace.rows.length} rows
      {speed !== undefined && ` · ${standing}: ${Math.round(speed)} times real time`}
    </span>
  );
}

/** Pause, go on, one step. */
function Transport({ store, held }: { readonly store: Store; readonly held: boolean }): VNode {
  return (
    <span class="transport">
      <button
        type="button"
        title="p"
        aria-label={held ? "Go on" : "Pause"}
        onClick={() => store.playOrPause()}
      >
        {held ? "▶" : "❚❚"}
      </button>
      <button type="button" title="." aria-label="One step" onClick={() => store.step()}>
        ❚▶
      </button>
    </span>
  );
}
