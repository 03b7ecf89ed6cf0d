/** The page starts here: with a lab behind it, or on its own with the simulator. */
import { render } from "preact";
import { listenToKeys } from "./keys.ts";
import { App } from "./parts/app.tsx";
import { Playground } from "./playground.ts";
import { LabSource } from "./sources/lab.ts";
import { PlaygroundSource } from "./sources/playground.ts";
import type { Source } from "./sources/source.ts";
import { Store } from "./store.ts";
import { startTheme } from "./theme.ts";

startTheme();
if (document.documentElement.dataset.mode === "lab") open(new LabSource());
else openPlayground();

function open(source: Source, playground?: (store: Store) => Playground): void {
  const store = new Store(source);
  listenToKeys(store);
  const ground = playground?.(store);
  const page = document.getElementById("page") as HTMLElement;
  render(<App store={store} playground={ground} />, page);
  source.start(store);
  ground?.again();
}

function openPlayground(): void {
  const source = new PlaygroundSource();
  open(source, (store) => new Playground(store, source));
}
