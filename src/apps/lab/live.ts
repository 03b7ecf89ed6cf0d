/** The lab left up: a topology, a ladder that grows, keys that break and mend servers and place calls. */
import { createInterface } from "node:readline";
import type { ReadStream } from "node:tty";
import { obey, playOpen } from "../scenario/play.ts";
import type { Scenario } from "../scenario/scenario.ts";
import { verdictLines } from "../scenario/verdict.ts";
import { drawLadder } from "../trace/ladder.ts";
import { isMessage, type TraceRecord } from "../trace/record.ts";
import { loadScenarios, scenarioNames } from "./catalogue.ts";
import {
  type Cast,
  deedOf,
  HELP,
  Keys,
  type LabCommand,
  LINES_HELP,
  menuOf,
  parseLine,
} from "./keys.ts";
import type { LabPage } from "./page.ts";
import { playAll, playedRecords } from "./run.ts";
import { Screen } from "./screen.ts";
import { LabStage, type LabStageOptions } from "./stage.ts";
import { StatusBoard } from "./status.ts";

export interface LiveOptions extends Omit<LabStageOptions, "watch"> {
  readonly json: boolean;
  readonly stages: Set<LabStage>;
  /** Shows the same to browsers, and hands on what they ask for. */
  readonly page: LabPage | undefined;
}

export interface LiveLab {
  readonly stage: LabStage;
  /** When somebody typed `q` or `quit`. */
  readonly quit: Promise<void>;
  close(): void;
}

/**
 * Plays the scenario's steps and leaves everything up.
 * @throws StageFault when addresses or programs are missing.
 */
export async function goLive(scenario: Scenario, options: LiveOptions): Promise<LiveLab> {
  const { servers, phones } = scenario.topology;
  const board = new StatusBoard(
    phones.map((phone) => phone.name),
    servers.map((server) => server.name),
  );
  const named: TraceRecord[] = [];
  let screen: Screen | undefined;
  const show = (record: TraceRecord): void => {
    if (record.event === "place.named") named.push(record);
    else {
      screen ??= new Screen(process.stdout, named, board, HELP, () => stage.now());
      screen.add(record);
    }
  };
  const stage = new LabStage({
    ...options,
    watch: (record) => {
      board.add(record);
      shown?.add(record);
      if (options.json) printRecord(record);
      else show(record);
    },
  });
  options.stages.add(stage);
  const shown = options.page?.live(scenario, stage, (name) => playBeside(name, options, say));
  const say = (...lines: readonly string[]): void => {
    if (screen === undefined) for (const line of lines) process.stderr.write(`${line}\n`);
    else screen.say(...lines);
  };
  const typed = listen(stage, castOf(scenario, board), options, say);
  await playOpen(scenario, stage);
  return {
    stage,
    quit: typed.quit,
    close: () => {
      typed.close();
      screen?.close();
    },
  };
}

/** Events as everywhere; raw messages would drown them. */
export function printRecord(record: TraceRecord): void {
  if (!isMessage(record)) process.stdout.write(`${JSON.stringify(record)}\n`);
}

function castOf({ topology }: Scenario, board: StatusBoard): Cast {
  return {
    servers: topology.servers.map((server) => server.name),
    phones: topology.phones.map((phone) => phone.name),
    scenarios: scenarioNames(),
    stateOf: (server) => board.stateOf(server),
  };
}

type Say = (...lines: readonly string[]) => void;

function listen(
  stage: LabStage,
  cast: Cast,
  options: LiveOptions,
  say: Say,
): { quit: Promise<void>; close: () => void } {
  let quit: () => void = () => undefined;
  const quitting = new Promise<void>((done) => {
    quit = done;
  });
  const complain = (error: Error): void => say(error.message);
  const perform = (command: LabCommand): void => {
    switch (command.kind) {
      case "help":
        say(process.stdin.isTTY ? HELP : LINES_HELP);
        break;
      case "quit":
        quit();
        break;
      case "menu":
        say(menuOf(cast.scenarios));
        break;
      case "play":
        playBeside(command.scenario, options, say).catch(complain);
        break;
      default:
        obey(stage, deedOf(command)).catch(complain);
    }
  };
  const close = process.stdin.isTTY
    ? readKeys(process.stdin, new Keys(cast), perform)
    : readLines((line) => {
        const command = parseLine(line, cast);
        if (command === undefined) say(`"${line.trim()}" is no command here:`);
        perform(command ?? { kind: "help" });
      });
  return { quit: quitting, close };
}

/** In a block of its own; its ladder and outcome are shown when it is over. */
async function playBeside(name: string, options: LiveOptions, say: Say): Promise<void> {
  say(`playing ${name} …`);
  const { program, blocks, gate, stages, page } = options;
  const { scenarios } = loadScenarios(name);
  const shown = page?.beside(scenarios[0] as Scenario);
  const beside = { program, blocks, stages, ...(gate === undefined ? {} : { gate }) };
  const once = { ...beside, jobs: 1, plays: 1, keepGoing: true, played: () => undefined };
  const through = shown === undefined ? {} : { through: shown.through };
  const watch = (_scenario: Scenario, record: TraceRecord): void => shown?.add(record);
  for (const played of await playAll(scenarios, { ...once, ...through, watch })) {
    shown?.ended(played.verdict.passed, played.epochMs);
    const paint = process.stdout.isTTY ? "terminal" : "plain";
    const width = process.stdout.isTTY ? process.stdout.columns : 0;
    const ladder = drawLadder(playedRecords(played), { paint, width });
    say(...ladder, ...verdictLines(played.verdict));
  }
}

function readKeys(input: ReadStream, keys: Keys, obey: (command: LabCommand) => void): () => void {
  input.setRawMode(true);
  input.setEncoding("utf8");
  const onData = (chunk: string): void => {
    for (const key of chunk) {
      const command = keys.pressed(key);
      if (command !== undefined) obey(command);
    }
  };
  input.on("data", onData);
  return () => {
    input.off("data", onData);
    input.setRawMode(false);
    input.pause();
  };
}

function readLines(line: (text: string) => void): () => void {
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (text) => {
    if (text.trim() !== "") line(text);
  });
  return () => lines.close();
}
