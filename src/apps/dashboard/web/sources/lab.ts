/** The lab that serves this page: events over SSE, commands over HTTP with the token that the lab printed. */
import type { Greeting, PageCommand, RecordBatch, TraceHeader } from "../../protocol.ts";
import { Refused, type Sink, type Source } from "./source.ts";

const KEPT = "dialtone-token";

export class LabSource implements Source {
  #token: string;

  constructor() {
    this.#token = tokenOfAddress() ?? sessionStorage.getItem(KEPT) ?? "";
  }

  start(sink: Sink): void {
    const events = new EventSource("events");
    events.addEventListener("open", () => sink.connected(true));
    events.addEventListener("error", () => sink.connected(false));
    const on = <T>(name: string, told: (data: T) => void): void => {
      events.addEventListener(name, (event) => told(JSON.parse((event as MessageEvent).data) as T));
    };
    on<Greeting>("greeting", (greeting) => sink.greeted(greeting));
    on<TraceHeader>("trace", (header) => sink.traced(header));
    on<RecordBatch>("records", (batch) => sink.recorded(batch));
  }

  /** What somebody typed; kept as long as this tab. */
  setToken(token: string): void {
    this.#token = token;
    sessionStorage.setItem(KEPT, token);
  }

  async send(command: PageCommand): Promise<void> {
    const headers = {
      authorization: `Bearer ${this.#token}`,
      "content-type": "application/json",
    };
    const body = JSON.stringify(command);
    const response = await fetch("command", { method: "POST", headers, body });
    if (response.ok) return;
    const answer = (await response.json().catch(() => ({}))) as { readonly error?: string };
    throw new Refused(answer.error ?? `status ${response.status}`, response.status === 401);
  }
}

/** Taken out of the address bar at once, so that no picture of the page shows it. */
function tokenOfAddress(): string | undefined {
  const token = location.hash.slice(1);
  if (token === "") return undefined;
  sessionStorage.setItem(KEPT, token);
  history.replaceState(null, "", location.pathname + location.search);
  return token;
}
