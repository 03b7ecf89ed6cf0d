/** No server at all: the simulator in a worker of this page. */
import type { PageCommand } from "../../protocol.ts";
import { Refused, type Sink, type Source } from "./source.ts";
import type { Conditions, Finding, FromWorker, ToWorker } from "./worker-protocol.ts";

/** The bundled worker, put here by `scripts/page.mjs`. */
declare const WORKER_TEXT: string;

export interface PlaygroundNews {
  found(findings: readonly Finding[]): void;
  failed(why: string): void;
}

export class PlaygroundSource implements Source {
  readonly #port: MessagePort;
  readonly #waiting = new Map<number, (why: string) => void>();
  #sink: Sink | undefined;
  #news: PlaygroundNews | undefined;
  #numbers = 0;
  #shown = "";

  constructor() {
    const text = new Blob([WORKER_TEXT], { type: "text/javascript" });
    const worker = new Worker(URL.createObjectURL(text));
    const { port1, port2 } = new MessageChannel();
    worker.postMessage("", [port2]);
    port1.onmessage = ({ data }) => this.#heard(data as FromWorker);
    this.#port = port1;
  }

  start(sink: Sink): void {
    this.#sink = sink;
    sink.connected(true);
  }

  tellNews(news: PlaygroundNews): void {
    this.#news = news;
  }

  load(conditions: Conditions): void {
    this.#order({ kind: "load", conditions });
  }

  setSpeed(speed: number): void {
    this.#order({ kind: "speed", speed });
  }

  async send(command: PageCommand): Promise<void> {
    this.#numbers += 1;
    const number = this.#numbers;
    const why = await new Promise<string>((answered) => {
      this.#waiting.set(number, answered);
      this.#order({ kind: "command", number, command });
    });
    if (why !== "") throw new Refused(why, false);
  }

  #order(order: ToWorker): void {
    this.#port.postMessage(order);
  }

  #heard(news: FromWorker): void {
    switch (news.kind) {
      case "trace":
        // The run before is shown until there is another: a fault in a file is no reason for an empty page.
        if (news.header.id !== this.#shown) this.#sink?.greeted({ scenarios: [], guarded: false });
        this.#shown = news.header.id;
        this.#sink?.traced(news.header);
        break;
      case "records":
        this.#sink?.recorded(news.batch);
        break;
      case "findings":
        this.#news?.found(news.findings);
        break;
      case "failed":
        this.#news?.failed(news.why);
        break;
      case "answer":
        this.#waiting.get(news.number)?.(news.why);
        this.#waiting.delete(news.number);
        break;
      case "judged":
        // The standing tells it; the figures are read off the trace.
        break;
    }
  }
}
