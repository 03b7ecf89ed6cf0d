/** CPU per renewed registration, at our server and at those of others. */
import { cpuTimeUs } from "./cpu-time.ts";
import type { Crew } from "./crew.ts";
import { inTurn } from "./figures.ts";
import { freePort } from "./free-port.ts";
import type { Load, LoadResult } from "./load.ts";
import { dialtone, peers, type Registrar } from "./registrars.ts";
import type { Outcome } from "./report.ts";

export interface RegisterOptions {
  readonly runs: number;
  /** REGISTERs of a run; slow registrars get a fifth. */
  readonly count: number;
  readonly users: number;
  /** Names of peers; undefined: all that are installed. */
  readonly peers: readonly string[] | undefined;
}

interface Series {
  readonly what: string;
  readonly digest: boolean;
  readonly disk: boolean;
}

const SERIES: readonly Series[] = [
  { what: "REGISTER, no password, in memory", digest: false, disk: false },
  { what: "REGISTER, digest with the nonce kept, in memory", digest: true, disk: false },
  { what: "REGISTER, ours on disk before the 200, others in memory", digest: false, disk: true },
];

const SLOW_PART = 5;

/** @throws Error if a server cannot be started, or answers were lost or wrong: then a figure says nothing. */
export async function* benchRegister(
  crew: Crew,
  load: Load,
  folder: string,
  options: RegisterOptions,
): AsyncGenerator<Outcome> {
  const us = dialtone(crew, folder);
  const others = peers(crew, folder).filter(
    ({ name }) => options.peers?.some((wanted) => name.includes(wanted)) ?? true,
  );
  for (const series of SERIES) {
    const figures = await inTurn([us, ...others], options.runs, (registrar) =>
      measure(registrar, registrar === us ? series : { ...series, disk: false }, load, options),
    );
    const taken = [us, ...others].map((registrar) => {
      return { name: registrar.name, runs: figures.get(registrar) ?? [] };
    });
    const [ours, ...theirs] = taken;
    if (ours === undefined) return;
    const notes = [load.name, ...(crew.pins ? [] : ["server and load share the cores"])];
    yield { bench: "register", what: series.what, ours, others: theirs, notes };
  }
}

/** A fresh server; all users register once, which is not counted; then they renew. */
async function measure(
  registrar: Registrar,
  { digest, disk }: Series,
  load: Load,
  { count, users }: RegisterOptions,
): Promise<number> {
  const [port, ownPort] = [await freePort("udp"), await freePort("udp")];
  const server = await registrar.start({ port, digest, disk, users });
  try {
    const order = { port, ownPort, users, digest };
    sound(registrar, await load.run({ ...order, count: users }));
    const before = cpuTimeUs(server.pid);
    const renewals = registrar.slow ? Math.ceil(count / SLOW_PART) : count;
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
