/**
 * A network of its own for each cell, where root allows: nothing leads out, the name server has port 53, packets to one
 * address can be dropped, and there is an interface besides the loopback, without which some phones do not start.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findCommand } from "../../lab/guests/find-command.ts";

/** For documentation (RFC 5737): it leads nowhere. */
const OUTSIDE = "192.0.2.1/24";
const PER_NAMESPACE = "/etc/netns";

/** Addresses of a cell, all below a prefix of three numbers. */
export const HOSTS = { primary: 11, secondary: 12, phone: 31, callee: 32, dns: 53 } as const;

export class Namespace {
  readonly name: string;
  readonly #ip: string;

  private constructor(name: string, ip: string) {
    this.name = name;
    this.#ip = ip;
  }

  /** Undefined: this system has none, or does not let this user make one. */
  static open(name: string, dns: string): Namespace | undefined {
    const ip = findCommand("ip");
    const able = process.getuid?.() === 0 && findCommand("iptables") !== undefined;
    if (ip === undefined || !able) return undefined;
    const namespace = new Namespace(name, ip);
    try {
      namespace.#furnish(dns);
      return namespace;
    } catch {
      namespace.close();
      return undefined;
    }
  }

  /** The command that runs another one there. */
  command(program: string, args: readonly string[]): { program: string; args: readonly string[] } {
    return { program: this.#ip, args: ["netns", "exec", this.name, program, ...args] };
  }

  /** Ends whatever still runs there: it is all ours. */
  close(): void {
    const { name } = this;
    try {
      for (const pid of this.#run("netns", "pids", name).split(/\s+/).filter(Boolean)) {
        process.kill(Number(pid), "SIGKILL");
      }
    } catch {
      // It was never made, or the last one has just ended.
    }
    try {
      this.#run("netns", "del", name);
    } catch {
      // It was never made.
    }
    rmSync(join(PER_NAMESPACE, name), { recursive: true, force: true });
  }

  #furnish(dns: string): void {
    const { name } = this;
    mkdirSync(join(PER_NAMESPACE, name), { recursive: true });
    writeFileSync(join(PER_NAMESPACE, name, "resolv.conf"), `nameserver ${dns}\n`);
    this.#run("netns", "add", name);
    const inside = (...args: string[]): unknown => this.#run("-n", name, ...args);
    inside("link", "set", "lo", "up");
    inside("link", "add", "v0", "type", "veth", "peer", "name", "v1");
    inside("addr", "add", OUTSIDE, "dev", "v0");
    for (const link of ["v0", "v1"]) inside("link", "set", link, "up");
    inside("route", "add", "default", "dev", "v0");
    this.#run("netns", "exec", name, "iptables", "-A", "OUTPUT", "-o", "v0", "-j", "DROP");
  }

  #run(...args: string[]): string {
    return execFileSync(this.#ip, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  }
}
