/** Scenarios that the lab can play beside itself: real processes, on addresses of their own. */
import type { VNode } from "preact";
import type { Store } from "../store.ts";
import { SheetFrame } from "./sheets.tsx";

export function ScenariosSheet({ store }: { readonly store: Store }): VNode {
  const play = (scenario: string): void => {
    store.set({ sheet: undefined });
    void store.send({ do: "play", scenario });
  };
  return (
    <SheetFrame store={store} title="Play a scenario">
      <ul class="scenarios">
        {store.scenarios.map(({ name, title }) => (
          <li key={name}>
            <button type="button" class="plain" onClick={() => play(name)}>
              <code>{name}</code>
              <span>{title}</span>
            </button>
          </li>
        ))}
      </ul>
      {store.scenarios.length === 0 && <p>The playground's are in the list on the left.</p>}
      <p class="legend">
        It becomes a trace of its own, which can be paused before its next deed and moved on step by
        step.
      </p>
    </SheetFrame>
  );
}
