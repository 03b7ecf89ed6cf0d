/** A Kamailio of whatever configuration: started, ready when it answers on its control socket, and asked over it. */
import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { findPeer } from "./peers.ts";
import { type Household, type Running, reached } from "./processes.ts";

const execute = promisify(execFile);

export interface KamailioPlan {
  /** The files of its folder by name; `kamailio.cfg` is the configuration. */
  readonly files: Readonly<Record<string, string>>;
  /** `udp:127.0.0.13:5060`. */
  readonly listen: readonly string[];
  /** Memory of each of its processes, MB; 4 if left out. */
  readonly megabytes?: number;
}

export class KamailioProcess {
  readonly name: string;
  /** For its files and its control socket. */
  readonly folder: string;
  /** What `ctl` must be told as `binrpc`. */
  readonly socket: string;
  readonly #household: Household;
  #process: Running | undefined;

  constructor(household: Household, name: string) {
    this.#household = household;
    this.name = name;
    this.folder = household.path(name);
    this.socket = `unix:${this.folder}/control`;
  }

  get process(): Running {
    if (this.#process === undefined) throw new Error(`${this.name} was never started`);
    return this.#process;
  }

  /** Its SIP ports are bound when this resolves. */
  async start({ files, listen, megabytes = 4 }: KamailioPlan): Promise<void> {
    const { folder } = this;
    mkdirSync(folder, { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(`${folder}/${name}`, text);
    const running = this.#household.spawn(this.name, findPeer("kamailio") as string, [
      ...["-f", `${folder}/kamailio.cfg`, "-DD", "-E", "-Y", folder, "-P", `${folder}/pid`],
      ...["-n", "1", "-m", "32", "-M", String(megabytes)],
      ...listen.flatMap((place) => ["-l", place]),
    ]);
    this.#process = running;
    await reached(`${this.name}'s control socket`, async () => {
      if (!running.running) throw new Error(`${this.name} ended:\n${running.lines.join("\n")}`);
      return (await this.ask("core.uptime")) !== undefined;
    });
  }

  /** What it answers on its control socket; undefined if it does not. */
  async ask(...command: string[]): Promise<string | undefined> {
    try {
      const kamcmd = (findPeer("kamailio") as string).replace(/kamailio$/, "kamcmd");
      return (await execute(kamcmd, ["-s", this.socket, ...command])).stdout;
    } catch {
      // Not yet, or not any more, listening.
      return undefined;
    }
  }
}
