/** CPU per renewed registration, at our server and at those of others. */

import { cpuTimeUs } from "../processor-time.ts";
import { certificateIn } from "./certificate.ts";
import { type Crew, pause } from "./crew.ts";
import { inTurn } from "./figures.ts";
import { freePort } from "./free-port.ts";
import { type Load, type LoadResult, type LoadTransport, streamLoad } from "./load.ts";
import { type Duty, dialtone, isWanted, peers, type Registrar } from "./registrars.ts";
import type { Outcome } from "./report.ts";

export interface RegisterOptions {
  readonly runs: number;
  /** REGISTERs of a run; slow registrars get a fifth. */
  readonly count: number;
  readonly users: number;
  /** Names of peers; undefined: all that are installed. */
  readonly peers: readonly string[] | undefined;
  /** `udp`, `tcp`, `tls`; undefined: all. */
  readonly over: readonly string[] | undefined;
}

interface Series {
  readonly what: string;
  readonly transport: LoadTransport;
  readonly digest: boolean;
  readonly disk: boolean;
}

const SERIES: readonly Series[] = [
  over("REGISTER, no password, in memory", "udp"),
  { ...over("REGISTER, digest with the nonce kept, in memory", "udp"), digest: true },
  { ...over("REGISTER, ours on disk before the 200, others in memory", "udp"), disk: true },
  over("REGISTER over open TCP connections, no password, in memory", "tcp"),
  over("REGISTER over open TLS connections, no password, in memory", "tls"),
];

function over(what: string, transport: LoadTransport): Series {
  return { what, transport, digest: false, disk: false };
}

const SLOW_PART = 5;

/** Load generators number their requests by the second: so long later no number is one of an earlier run. */
const NUMBERING_MS = 1_000;

/** @throws Error if a server cannot be started, or answers were lost or wrong: then a figure says nothing. */
export async function* benchRegister(
  crew: Crew,
  load: Load,
  folder: string,
  options: RegisterOptions,
): AsyncGenerator<Outcome> {
  const certificate = await certificateIn(crew, folder);
  const us = dialtone(crew, folder);
  const chosen = peers(crew, folder).filter(({ name }) => isWanted(name, options.peers));
  for (const series of SERIES) {
    const { what, transport } = series;
    if (options.over?.includes(transport) === false) continue;
    if (transport === "tls" && certificate === undefined) continue;
    const others = chosen.filter(({ streams }) => streams || transport === "udp");
    const sender = transport === "udp" ? load : streamLoad(crew);
    const figures = await inTurn([us, ...others], options.runs, (registrar) => {
      const disk = series.disk && registrar === us;
      return measure(registrar, { ...series, disk, certificate }, sender, options);
    });
    const taken = [us, ...others].map((registrar) => {
      return { name: registrar.name, runs: figures.get(registrar) ?? [] };
    });
    const [ours, ...theirs] = taken;
    if (ours === undefined) return;
    const notes = [sender.name, ...(crew.pins ? [] : ["server and load share the cores"])];
    yield { bench: "register", what, ours, others: theirs, notes };
  }
}

/** A fresh server; all users register once, then they renew. What is counted begins when compilers are done. */
async function measure(
  registrar: Registrar,
  { transport, digest, disk, certificate }: Series & Pick<Duty, "certificate">,
  load: Load,
  { count, users }: RegisterOptions,
): Promise<number> {
  const [port, ownPort] = [
    await freePort(transport === "udp" ? "udp" : "tcp"),
    await freePort("udp"),
  ];
  const server = await registrar.start({ port, transport, digest, disk, certificate, users });
  try {
    const order = { port, ownPort, transport, users, digest };
    const renewals = registrar.slow ? Math.ceil(count / SLOW_PART) : count;
    sound(registrar, await load.run({ ...order, count: users + Math.ceil(renewals / 2) }));
    await pause(NUMBERING_MS);
    const before = cpuTimeUs(server.pid);
    const { ok } = sound(registrar, await load.run({ ...order, count: renewals }));
    return (cpuTimeUs(server.pid) - before) / ok;
  } finally {
    await server.stop();
  }
}

function sound(registrar: Registrar, result: LoadResult): LoadResult {
  const { ok, lost, bad } = result;
  if (ok > 0 && lost === 0 && bad === 0) return result;
  throw new Error(`${registrar.name}: ${ok} answered 200, ${bad} otherwise, ${lost} not at all`);
}
