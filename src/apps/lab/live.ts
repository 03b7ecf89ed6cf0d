/** The lab left up: a topology, a ladder that grows, keys that break and mend servers and place calls. */
import { createInterface } from "node:readline";
import type { ReadStream } from "node:tty";
import { disturbance, playOpen } from "../scenario/play.ts";
import type { Scenario } from "../scenario/scenario.ts";
import { isMessage, type TraceRecord } from "../trace/record.ts";
import { type Cast, HELP, Keys, type LabAction, type LabCommand, parseLine } from "./keys.ts";
import { Screen } from "./screen.ts";
import { LabStage, type LabStageOptions } from "./stage.ts";
import { StatusBoard } from "./status.ts";

export interface LiveOptions extends Omit<LabStageOptions, "watch"> {
  readonly json: boolean;
  readonly stages: Set<LabStage>;
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
      if (options.json) printRecord(record);
      else show(record);
    },
  });
  options.stages.add(stage);
  const typed = listen(stage, board, scenario, (text) => {
    if (screen === undefined) process.stderr.write(`${text}\n`);
    else screen.say(text);
  });
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

function listen(
  stage: LabStage,
  board: StatusBoard,
  scenario: Scenario,
  say: (text: string) => void,
): { quit: Promise<void>; close: () => void } {
  const cast: Cast = {
    servers: scenario.topology.servers.map((server) => server.name),
    phones: scenario.topology.phones.map((phone) => phone.name),
    stateOf: (server) => board.stateOf(server),
  };
  let quit: () => void = () => undefined;
  const quitting = new Promise<void>((done) => {
    quit = done;
  });
  const obey = (command: LabCommand | undefined): void => {
    if (command === undefined || command.kind === "help") say(HELP);
    else if (command.kind === "quit") quit();
    else perform(stage, command).catch((error: Error) => say(error.message));
  };
  const close = process.stdin.isTTY
    ? readKeys(process.stdin, new Keys(cast), obey)
    : readLines((line) => obey(parseLine(line, cast)));
  return { quit: quitting, close };
}

async function perform(stage: LabStage, command: LabAction): Promise<void> {
  switch (command.kind) {
    case "fault":
      stage.note(disturbance(stage.now(), command.server, command.fault));
      await stage.disturbServer(command.server, command.fault);
      break;
    case "call":
      await stage.commandPhone(command.from, { kind: "call", to: command.to });
      break;
    case "hangup":
      await stage.commandPhone(command.phone, { kind: "hangup" });
      break;
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
