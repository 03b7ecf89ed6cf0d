/** The page's parts and where they stand; sheets lie above them. */
import type { VNode } from "preact";
import type { Playground } from "../playground.ts";
import type { Store, Tab } from "../store.ts";
import { Cast } from "./cast.tsx";
import { Decisions } from "./decisions.tsx";
import { Details } from "./details.tsx";
import { ExportSheet } from "./export-sheet.tsx";
import { Figures } from "./figures.tsx";
import { Files } from "./files.tsx";
import { Header } from "./header.tsx";
import { LadderPart } from "./ladder.tsx";
import { PlaygroundControls } from "./playground-controls.tsx";
import { ScenariosSheet } from "./scenarios-sheet.tsx";
import { HelpSheet, TokenSheet } from "./sheets.tsx";
import { Timeline } from "./timeline.tsx";
import { useStore } from "./use-store.ts";

const TABS: readonly (readonly [tab: Tab, label: string, narrow: boolean])[] = [
  ["cast", "Who", true],
  ["ladder", "Ladder", false],
  ["timeline", "Timeline", false],
  ["decisions", "Decisions", false],
  ["figures", "Figures", false],
  ["files", "Files", false],
  ["details", "Why", true],
];

export interface AppProps {
  readonly store: Store;
  /** Without a lab. */
  readonly playground: Playground | undefined;
}

export function App({ store, playground }: AppProps): VNode {
  useStore(store);
  const { tab } = store;
  return (
    <div class="page" data-tab={tab}>
      <Header store={store} />
      <aside class="side" aria-label="Servers and phones">
        {playground !== undefined && <PlaygroundControls store={store} playground={playground} />}
        <Cast store={store} />
      </aside>
      <main class="middle">
        <div class="tabs" role="tablist" aria-label="Views">
          {TABS.filter(([name]) => name !== "files" || playground !== undefined).map(
            ([name, label, narrow]) => (
              <button
                type="button"
                role="tab"
                class={narrow ? "tab narrow-only" : "tab"}
                aria-selected={tab === name}
                onClick={() => store.set({ tab: name })}
              >
                {label}
              </button>
            ),
          )}
        </div>
        <div class="view" role="tabpanel">
          <View store={store} playground={playground} />
        </div>
      </main>
      <aside class="details" id="details" tabIndex={-1} aria-label="The chosen row">
        <Details store={store} />
      </aside>
      {store.sheet === "help" && <HelpSheet store={store} />}
      {store.sheet === "scenarios" && <ScenariosSheet store={store} />}
      {store.sheet === "export" && <ExportSheet store={store} />}
      {store.sheet === "token" && <TokenSheet store={store} />}
    </div>
  );
}

function View({ store, playground }: AppProps): VNode {
  switch (store.tab) {
    case "decisions":
      return <Decisions store={store} />;
    case "timeline":
      return <Timeline store={store} />;
    case "figures":
      return <Figures store={store} />;
    case "files":
      if (playground !== undefined) return <Files store={store} playground={playground} />;
      return <LadderPart store={store} />;
    default:
      return <LadderPart store={store} />;
  }
}
