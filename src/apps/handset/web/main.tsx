/** The handset's page starts here. */
import { render } from "preact";
import { HandsetView } from "./handset.tsx";
import { takeToken } from "./line.ts";

takeToken();
render(<HandsetView />, document.getElementById("handset") as HTMLElement);
