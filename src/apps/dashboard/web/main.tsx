/** The page starts here: with a lab behind it, or on its own with the simulator. */
import { render } from "preact";
import { listenToKeys } from "./keys.ts";
import { App } from "./parts/app.tsx";
import { LabSource } from "./sources/lab.ts";
import { Store } from "./store.ts";
import { startTheme } from "./theme.ts";

startTheme();
const source = new LabSource();
const store = new Store(source);
listenToKeys(store);
render(<App store={store} />, document.getElementById("page") as HTMLElement);
source.start(store);
