/** A network of its own for each node: a relay carries real packets by the rules of the simulated network. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { describe, test } from "node:test";
import { PacketReader } from "../../src/apps/capture/packets.ts";
import { Blocks } from "../../src/apps/lab/block.ts";
import { Cell } from "../../src/apps/lab/network/cell.ts";
import { Connections } from "../../src/apps/lab/network/connections.ts";
import { datagramPacket, FLAG, resetPacket, seenIn } from "../../src/apps/lab/network/headers.ts";
import { LabNetwork } from "../../src/apps/lab/network/lab-network.ts";
import { PROGRAM, player } from "../support/lab-plays.ts";
import { needsNetworks } from "../support/peers.ts";
import { membersOf, reached } from "../support/processes.ts";

const SCENARIOS = join(import.meta.dirname, "..", "..", "..", "scenarios");
const ALICE = "192.0.2.21";
const BOB = "192.0.2.22";
const ENDS = { from: ALICE, fromPort: 5060, to: BOB, toPort: 5061 };

const playScenario = player(new Blocks(160));

describe("scenarios in networks of their own", { concurrency: true }, () => {
  test(
    "between programs of others a way is cut, slow, doubled, lossy, and a connection reset",
    needsNetworks("kamailio", "baresip"),
    async () => {
      const played = await playScenario("foreign-partition");
      assert.deepEqual(played?.verdict.failures, []);
    },
  );

  test(
    "calls of SIPp through a Kamailio survive lost packets, and not a cut (field.md 2)",
    needsNetworks("kamailio", "baresip", "sipp"),
    async () => {
      const played = await playScenario("foreign-loss");
      assert.deepEqual(played?.verdict.failures, []);
    },
  );

  test(
    "C35: what befalls our own nodes in their processes and in the simulator befalls them in the relay",
    needsNetworks(),
    async () => {
      const folder = mkdtempSync(join(tmpdir(), "dialtone-lab-test-"));
      const text = readFileSync(join(SCENARIOS, "bad-ways.yaml"), "utf8");
      const file = join(folder, "bad-ways.yaml");
      writeFileSync(file, text.replace(/^servers:/m, "network: namespaces\nservers:"));
      const played = await playScenario(file);
      rmSync(folder, { recursive: true, force: true });
      assert.deepEqual(played?.verdict.failures, []);
      assert.ok(played?.records.some(({ event }) => event === "network.opened"));
    },
  );
});

/** A TCP server or client that says what becomes of its connection. */
const TELLS = `socket.on("data", (said) => console.log("heard " + said));
socket.on("error", ({ code }) => console.log(code));`;
const SERVER = `require("node:net").createServer((socket) => { ${TELLS} }).listen(5060, "${BOB}",
  () => console.log("listens"));`;
const CLIENT = `const socket = require("node:net").connect(5060, "${BOB}", () => socket.write("hello"));
${TELLS} process.stdin.on("data", (said) => socket.write(said));`;

class Resident {
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(network: LabNetwork, node: string, script: string) {
    const command = { program: process.execPath, args: ["-e", script] };
    const { program, args } = network.command(node, command);
    this.#process = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
    const lines = createInterface({ input: this.#process.stdout as Readable });
    this.#lines = lines[Symbol.asyncIterator]();
  }

  async line(): Promise<string> {
    return String((await this.#lines.next()).value);
  }

  say(text: string): void {
    this.#process.stdin?.write(text);
  }

  async end(): Promise<void> {
    const ended = once(this.#process, "exit");
    this.#process.kill("SIGKILL");
    await ended;
  }
}

test(
  "a connection between two networks is reset at both ends, and a port that nobody has is refused by the kernel",
  needsNetworks(),
  async () => {
    const nodes = new Map([
      ["alice", ALICE],
      ["bob", BOB],
    ]);
    const place = { address: "192.0.2.53", port: 5300 };
    const passed: string[] = [];
    const network = await LabNetwork.open(
      { nodes, resolver: { seen: place, real: place } },
      { left: (_packet, { from, to }) => passed.push(`${from} ${to}`), arrived: () => undefined },
    );
    const early = new Resident(network, "alice", CLIENT);
    assert.equal(await early.line(), "ECONNREFUSED");
    const server = new Resident(network, "bob", SERVER);
    assert.equal(await server.line(), "listens");
    const client = new Resident(network, "alice", CLIENT);
    assert.equal(await server.line(), "heard hello");
    network.disturb(["alice", "bob"], { kind: "reset" });
    assert.deepEqual([await server.line(), await client.line()], ["ECONNRESET", "ECONNRESET"]);
    network.disturb(["alice", "bob"], { kind: "refuse" });
    const refused = new Resident(network, "alice", CLIENT);
    assert.equal(await refused.line(), "ECONNREFUSED");
    network.disturb(["bob", "alice"], { kind: "heal" });
    const again = new Resident(network, "alice", CLIENT);
    assert.equal(await server.line(), "heard hello");
    for (const one of [early, server, client, refused, again]) await one.end();
    await network.close();
    assert.deepEqual([...new Set(passed)].sort(), [`${ALICE} ${BOB}`, `${BOB} ${ALICE}`]);
  },
);

test("packets that the relay makes are as others read them, with sums that are right", () => {
  const payload = new Uint8Array([1, 2, 3]);
  const datagram = new PacketReader().read({
    at: 0,
    linkType: 228,
    bytes: datagramPacket(ENDS, payload),
  });
  assert.equal(datagram?.source, `${ALICE}:5060`);
  assert.equal(datagram?.destination, `${BOB}:5061`);
  assert.deepEqual([...(datagram?.payload ?? [])], [1, 2, 3]);
  const reset = resetPacket(ENDS, 0xffff_fffe, 7);
  const { tcp, to, toPort } = seenIn(reset) ?? assert.fail();
  assert.deepEqual([to, toPort], [BOB, 5061]);
  assert.deepEqual(tcp, {
    sequence: 0xffff_fffe,
    acknowledged: 7,
    flags: FLAG.rst | FLAG.ack,
    length: 0,
  });
});

test("whoever still sends on a connection that was reset is answered with a reset, until a new one begins", () => {
  const connections = new Connections();
  const segment = (flags: number): Parameters<Connections["saw"]>[0] => ({
    ...ENDS,
    transport: "tcp",
    size: 20,
    payload: new Uint8Array(),
    tcp: { sequence: 100, acknowledged: 200, flags, length: 0 },
  });
  assert.equal(connections.saw(segment(FLAG.syn)), "passes");
  assert.equal(connections.saw(segment(FLAG.ack)), "passes");
  assert.equal(connections.reset(() => true).length, 1);
  const fate = connections.saw(segment(FLAG.ack));
  assert.ok(typeof fate === "object");
  const answer = seenIn(fate.answer);
  assert.deepEqual([answer?.to, answer?.tcp?.flags, answer?.tcp?.sequence], [ALICE, FLAG.rst, 200]);
  assert.equal(connections.saw(segment(FLAG.rst)), "lost");
  assert.equal(connections.saw(segment(FLAG.syn)), "passes");
});

test("what a network needs is named before anything starts: status 3", () => {
  const args = [PROGRAM, "lab", "--scenario", "foreign-loss", "--exit"];
  const { status, stderr, stdout } = spawnSync(process.execPath, args, {
    encoding: "utf8",
    env: { PATH: "/nonexistent" },
  });
  assert.match(
    stderr,
    /^foreign-loss needs (?:network namespaces|unshare and nsenter and perl; install )/,
  );
  assert.deepEqual([status, stdout], [3, ""]);
});

test("no network outlives a lab that is killed", needsNetworks(), async () => {
  const holder = join(import.meta.dirname, "lab-network-holder.js");
  const lab = spawn(process.execPath, [holder, BOB], { stdio: ["ignore", "pipe", "inherit"] });
  const lines = createInterface({ input: lab.stdout as Readable });
  const [line] = (await once(lines, "line")) as [string];
  assert.equal(membersOf(Number(line)).length, 1);
  lab.kill("SIGKILL");
  await once(lab, "exit");
  await reached("the end of the network", () => membersOf(Number(line)).length === 0);
});

test("a network that cannot be had says why", needsNetworks(), async () => {
  await assert.rejects(
    Cell.open("nowhere", () => undefined),
    /./,
  );
});
