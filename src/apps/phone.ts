/** `dialtone phone`: runs the phone that provisioning files describe. */
import { open, readFile } from "node:fs/promises";
import type { Command } from "commander";
import { messageTracer } from "../api/message-event.ts";
import { instanceOf, resolverOptions, SUPPORTED } from "../api/phone-setup.ts";
import { ruleTeller } from "../api/rule-teller.ts";
import { type AudioSource, playback, SAMPLE_RATE, tone } from "../core/media/tones.ts";
import { readWav } from "../core/media/wav.ts";
import { bindAddressFor } from "../core/phone/bind-address.ts";
import type { AnswerMode, PhoneConfig } from "../core/phone/phone-config.ts";
import { PhoneMachine } from "../core/phone/phone-machine.ts";
import type { PhoneConfiguration } from "../core/provisioning/configuration.ts";
import { formatFault } from "../core/provisioning/fault.ts";
import { Driver, type DriverOptions, type TimedEvent } from "../worlds/node/driver.ts";
import { nodePrimitives } from "../worlds/node/primitives.ts";
import { Resolver, type ResolverOptions } from "../worlds/node/resolver.ts";
import type { TlsSettings } from "../worlds/node/tls.ts";
import type { Control } from "./control.ts";
import { EXIT, exitWith } from "./exit.ts";
import { type HostPort, hostPort } from "./flag-values.ts";
import { HandsetPage } from "./handset/server.ts";
import { Handset } from "./handset/standing.ts";
import { eventPrinter } from "./output.ts";
import { flagFaults, loadConfiguration, nobody, type PhoneFlags } from "./phone-options.ts";
import { PhoneSession } from "./phone-session.ts";
import { readTls } from "./tls-files.ts";

/** A recording ends after so long, seconds. */
const LONGEST_RECORDING_S = 600;

export function addPhoneCommand(program: Command): void {
  program
    .command("phone")
    .description("run the phone that provisioning files describe")
    .requiredOption(
      "--config <file...>",
      "provisioning files, later ones overlay earlier ones; http(s) works",
    )
    .option("--account <n>", "only this account")
    .option("--dns <host:port...>", "ask these resolvers instead of the system's")
    .option(
      "--ca <file...>",
      "over TLS: PEM authorities to believe, instead of those that Node knows",
    )
    .option("--pin <fingerprint...>", "over TLS: believe exactly these certificates (SHA-256)")
    .option("--certificate <file>", "over TLS: PEM chain to show to a server that asks for one")
    .option("--key <file>", "its PEM key")
    .option("--call <uri>", "place a call once registered; ends when the call ends")
    .option("--play <wav>", "what the callee hears, instead of a tone")
    .option("--record <wav>", "keep what is heard")
    .option("--for <seconds>", "hang up after so long")
    .option("--answer <mode>", "incoming calls: auto, ring or busy (auto, unless the files say)")
    .option("--bind <address>", "local address (all, unless the files say)")
    .option("--port <port>", "local SIP port, instead of the configured one")
    .option("--http <host:port>", "serve the handset page there", hostPort)
    .option("--json", "one JSON object a line on stdout")
    .option("--trace", "also every SIP message, as events")
    .option("--control", "take commands as JSON lines on stdin")
    .action(runPhone);
}

async function runPhone(flags: PhoneFlags): Promise<void> {
  const faults = flagFaults(flags);
  if (faults.length > 0) exitWith(EXIT.wrongInput, ...faults);
  await checkRecording(flags.record);
  const tls = await tlsOf(flags);
  const configuration = await loadConfiguration(flags.config);
  const config = phoneConfig(flags, configuration, await audioSource(flags.play));
  if (config.accounts.every((account) => !account.enabled)) {
    exitWith(EXIT.wrongInput, nobody(flags, configuration));
  }
  const resolver = new Resolver(resolverOptionsOf(flags, configuration));
  const machine = new PhoneMachine(nodePrimitives());
  const print = eventPrinter(flags.json === true);
  const session = new PhoneSession(machine, flags);
  const page = await handsetPage(flags.http, config, session);
  const sink = (event: TimedEvent): void => {
    print(event);
    page?.saw(event);
    session.saw(event);
  };
  const options: DriverOptions = {
    node: config.accounts[0]?.user ?? "phone",
    sink,
    resolve: (question, answered) => resolver.ask(question, answered),
    ...(tls === undefined ? {} : { tls }),
    ...(flags.trace === true ? { capture: messageTracer((event) => driver.report(event)) } : {}),
  };
  const driver: Driver = new Driver(machine, options);
  await session.run(driver, config);
  page?.close();
  resolver.close();
}

/** Its address is told on stderr, with the token: whoever has it may use the phone. */
async function handsetPage(
  place: HostPort | undefined,
  { accounts }: PhoneConfig,
  session: PhoneSession,
): Promise<HandsetPage | undefined> {
  if (place === undefined) return undefined;
  const shown = accounts.filter(({ enabled }) => enabled);
  const handset = new Handset(
    shown.map(({ user, redundancy }) => ({ name: user, servers: redundancy.servers.length })),
  );
  const obey = (control: Control): string | undefined => session.obey(control);
  const parts = { ...place, token: process.env.DIALTONE_TOKEN, handset, obey };
  const page = await HandsetPage.open(parts).catch((error: Error) => {
    const { host, port } = place;
    exitWith(
      EXIT.missing,
      `tcp:${host}:${port}: cannot be had (${error.message}); name another with --http`,
    );
  });
  process.stderr.write(`handset: ${page.invitation}\n`);
  return page;
}

async function tlsOf({ ca, pin, certificate, key }: PhoneFlags): Promise<TlsSettings | undefined> {
  const { settings, faults } = await readTls({ ca, pin, certificate, key }, [], Date.now());
  if (faults.length > 0) exitWith(EXIT.wrongInput, ...faults.map(formatFault));
  return settings;
}

function phoneConfig(
  flags: PhoneFlags,
  configuration: PhoneConfiguration,
  source: () => AudioSource,
): PhoneConfig {
  const { accounts, station = {} } = configuration;
  const wanted = flags.account === undefined ? undefined : Number(flags.account);
  const chosen = accounts.filter(({ index }) => wanted === undefined || index === wanted);
  return {
    accounts: chosen,
    bindAddress: flags.bind ?? station.bind ?? bindAddressFor(chosen),
    localPort: flags.port === undefined ? configuration.localPort : Number(flags.port),
    answer: (flags.answer as AnswerMode | undefined) ?? station.answer ?? "auto",
    recordedSamples: flags.record === undefined ? 0 : LONGEST_RECORDING_S * SAMPLE_RATE,
    audioSource: source,
    userAgent: station.userAgent ?? "Dialtone",
    instance: station.instance ?? instanceOf(configuration),
    supported: SUPPORTED,
    rule: ruleTeller(configuration),
  };
}

/** Before the call rather than after it: whether what is heard can be kept at all. */
async function checkRecording(path: string | undefined): Promise<void> {
  if (path === undefined) return;
  try {
    await (await open(path, "a")).close();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const wrong = `--record: cannot be written (${why}); name a file in a directory of yours`;
    exitWith(EXIT.wrongInput, `${path}:1: ${wrong}`);
  }
}

/** A tone, or the WAV file from its beginning in each call. */
async function audioSource(path: string | undefined): Promise<() => AudioSource> {
  if (path === undefined) return () => tone();
  const bytes = await readFile(path).catch((error: Error) =>
    exitWith(
      EXIT.wrongInput,
      `${path}:1: --play: cannot be read (${error.message}); name a WAV file`,
    ),
  );
  const audio = readWav(bytes);
  if (audio.kind === "bad-wav") {
    exitWith(
      EXIT.wrongInput,
      `${path}:1: --play: ${audio.why}; name a WAV file of 8 or 16 bit PCM or G.711`,
    );
  }
  return () => playback(audio.samples, true);
}

function resolverOptionsOf(flags: PhoneFlags, configuration: PhoneConfiguration): ResolverOptions {
  const { options, wrong } = resolverOptions(configuration, flags.dns);
  for (const text of wrong) {
    exitWith(
      EXIT.wrongInput,
      `command line: --dns: "${text}" is no resolver; write HOST or HOST:PORT`,
    );
  }
  return options;
}
