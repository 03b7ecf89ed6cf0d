/** What the page knows and shows. Parts read it and are drawn again when it has changed, at most once a frame. */
import { field } from "../../trace/record.ts";
import type { Greeting, PageCommand, RecordBatch, TraceHeader } from "../protocol.ts";
import type { ColourBy } from "./ladder/painter.ts";
import { Filter } from "./model/filter.ts";
import { isDecision } from "./model/meaning.ts";
import { type Row, Trace } from "./model/trace.ts";
import { Refused, type Sink, type Source } from "./sources/source.ts";

export type Tab = "ladder" | "timeline" | "decisions" | "figures" | "files" | "cast" | "details";
export type Sheet = "help" | "token" | "export" | "scenarios" | undefined;

const COLOURS: readonly ColourBy[] = ["status", "call", "cseq"];

export class Store implements Sink {
  readonly source: Source;
  readonly traces: Map<string, Trace> = new Map();
  scenarios: Greeting["scenarios"] = [];
  current: Trace | undefined;
  connection: "waiting" | "open" | "lost" = "waiting";
  tab: Tab = "ladder";
  sheet: Sheet;
  chosen: Row | undefined;
  marked: Row | undefined;
  colourBy: ColourBy = "status";
  /** The ladder moves along with what is new. */
  following = true;
  /** Only lifelines that a shown row touches. */
  compressed = true;
  /** Only the dialog of the chosen row. */
  onlyCall = "";
  filterText = "";
  notice = "";
  #filter = new Filter("");
  #shown: { rows: readonly Row[]; key: string } = { rows: [], key: "" };
  /** The notice of the command that was refused last. */
  #refusal = "";
  #waiting: PageCommand | undefined;
  #listeners = new Set<() => void>();
  #framed = false;

  constructor(source: Source) {
    this.source = source;
  }

  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  changed(): void {
    if (this.#framed) return;
    this.#framed = true;
    requestAnimationFrame(() => {
      this.#framed = false;
      for (const listener of this.#listeners) listener();
    });
  }

  set(changes: Partial<Store>): void {
    Object.assign(this, changes);
    this.changed();
  }

  // What the source tells.

  greeted(greeting: Greeting): void {
    this.scenarios = greeting.scenarios;
    for (const [id, trace] of this.traces) if (!trace.isFile) this.traces.delete(id);
    if (this.current?.isFile !== true) this.current = undefined;
    this.chosen = undefined;
    this.changed();
  }

  traced(header: TraceHeader): void {
    const known = this.traces.get(header.id);
    if (known !== undefined) known.update(header);
    else this.add(new Trace(header), this.current === undefined || header.standing === "playing");
    this.changed();
  }

  recorded({ trace, records, now }: RecordBatch): void {
    this.traces.get(trace)?.append(records, now);
    this.changed();
  }

  connected(there: boolean): void {
    this.connection = there ? "open" : "lost";
    this.changed();
  }

  // What is shown.

  add(trace: Trace, show: boolean): void {
    this.traces.set(trace.header.id, trace);
    if (show) this.show(trace);
  }

  show(trace: Trace): void {
    this.current = trace;
    this.chosen = undefined;
    this.marked = undefined;
    this.onlyCall = "";
    this.following = trace.running;
    this.changed();
  }

  forget(trace: Trace): void {
    this.traces.delete(trace.header.id);
    if (this.current === trace) this.current = [...this.traces.values()][0];
    this.changed();
  }

  /** Rows that the filter lets through. */
  get rows(): readonly Row[] {
    const { current } = this;
    if (current === undefined) return [];
    if (this.filterText === "" && this.onlyCall === "") return current.rows;
    const key = `${current.header.id} ${current.edition} ${this.onlyCall} ${this.filterText}`;
    if (key !== this.#shown.key) {
      this.#filter = new Filter(this.filterText);
      const rows = current.rows.filter(
        (row) =>
          (this.onlyCall === "" || callOf(row) === this.onlyCall) &&
          this.#filter.takes(row, current),
      );
      this.#shown = { rows, key };
    }
    return this.#shown.rows;
  }

  choose(row: Row | undefined, follow = false): void {
    this.chosen = row;
    this.following = follow;
    this.changed();
  }

  decides(row: Row): boolean {
    return row.delivery === undefined && isDecision(row.record);
  }

  openDetails(): void {
    if (this.chosen === undefined) this.chosen = this.rows[0];
    this.set({ tab: isNarrow() ? "details" : this.tab });
    document.querySelector<HTMLElement>("#details")?.focus();
  }

  /** Closes what was opened last. */
  back(): void {
    if (this.sheet !== undefined) this.set({ sheet: undefined });
    else if (this.tab === "details" || this.tab === "cast") this.set({ tab: "ladder" });
    else if (this.filterText !== "" || this.onlyCall !== "") {
      this.set({ filterText: "", onlyCall: "" });
    } else this.set({ chosen: undefined, marked: undefined, notice: "" });
  }

  turnTab(way: 1 | -1): void {
    const tabs: readonly Tab[] = ["ladder", "timeline", "decisions", "figures"];
    const next = (tabs.indexOf(this.tab) + way + tabs.length) % tabs.length;
    this.set({ tab: tabs[next] as Tab });
  }

  /** Kills a server that is up, and mends or revives one that is not. */
  turnServer(index: number): void {
    const server = this.current?.header.servers[index];
    if (server === undefined || this.current?.header.standing !== "live") return;
    const health = this.current.servers.healthOf(server.name);
    const kind = {
      up: "kill",
      suspect: "kill",
      sick: "heal",
      frozen: "revive",
      down: "revive",
    } as const;
    void this.send({ do: "fault", server: server.name, fault: { kind: kind[health] } });
  }

  playOrPause(): void {
    const header = this.current?.header;
    if (header === undefined || !this.canHold) this.set({ sheet: "scenarios" });
    else void this.send({ do: header.held ? "resume" : "pause", trace: header.id });
  }

  step(): void {
    const header = this.current?.header;
    if (header !== undefined && this.canHold) void this.send({ do: "step", trace: header.id });
  }

  /** What is shown can be paused: a play, or anything in virtual time. */
  get canHold(): boolean {
    const { current } = this;
    if (current === undefined || !current.running) return false;
    return current.header.virtual || current.header.standing === "playing";
  }

  turnColours(): void {
    const next = (COLOURS.indexOf(this.colourBy) + 1) % COLOURS.length;
    this.set({ colourBy: COLOURS[next] as ColourBy });
  }

  toggleCall(): void {
    const call = this.chosen === undefined ? "" : callOf(this.chosen);
    this.set({ onlyCall: this.onlyCall === "" ? call : "" });
  }

  /** Done, refused in words, or kept until the token is there. What else was told stays told. */
  async send(command: PageCommand): Promise<void> {
    try {
      await this.source.send(command);
      if (this.notice === this.#refusal) this.set({ notice: "" });
    } catch (error) {
      if (error instanceof Refused && error.token) {
        this.#waiting = command;
        this.set({ sheet: "token" });
        return;
      }
      this.#refusal = error instanceof Error ? error.message : String(error);
      this.set({ notice: this.#refusal });
    }
  }

  /** The token has come: what waited for it is done now. */
  retry(): void {
    const command = this.#waiting;
    this.#waiting = undefined;
    this.set({ sheet: undefined });
    if (command !== undefined) void this.send(command);
  }
}

/** One column: a phone held upright. */
export function isNarrow(): boolean {
  return matchMedia("(max-width: 800px)").matches;
}

export function callOf(row: Row): string {
  return row.delivery?.seen.callId ?? field(row.record, "callId");
}
