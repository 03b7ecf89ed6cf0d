/** `dialtone drill` at servers of our own: what it cuts, what it says, what it writes, and how it ends. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Household, type Running } from "../support/processes.ts";
import { CLI, Dialtone } from "../support/processes-dialtone.ts";

const CONFIG = {
  accounts: [
    {
      ...{ user: "3001", password: "gate-3001", domain: "lab.test", registration: "successive" },
      // Without a hedge: an outage is to be above the limit.
      hedge: "0",
      servers: [] as { address: string; port: number }[],
    },
  ],
};

function refused(...args: string[]): string {
  const { status, stderr } = spawnSync(process.execPath, [CLI, "drill", ...args], {
    encoding: "utf8",
  });
  assert.equal(status, 2, stderr);
  return stderr;
}

/** Resolves when what a server has told last of any binding is that it was removed: the drill may be gone before. */
async function unbound(server: Dialtone): Promise<void> {
  await server.process.until("the end of the last binding", () => {
    const last = server.events.findLast(({ event }) => event.startsWith("binding."));
    return last?.event === "binding.removed" ? last : undefined;
  });
}

describe("a drill", () => {
  let household: Household;
  let servers: Dialtone[];
  let config: string;

  before(async () => {
    household = await Household.open(62);
    const users = household.path("users.yaml");
    writeFileSync(users, "'3001': gate-3001\n");
    config = household.path("phone.yaml");
    const addresses = [household.address(13), household.address(14)];
    const [account] = CONFIG.accounts;
    const places = addresses.map((address) => ({ address, port: 5060 }));
    writeFileSync(config, JSON.stringify({ accounts: [{ ...account, servers: places }] }));
    servers = addresses.map((address, at) => {
      const args = ["--listen", `udp:${address}:5060`, "--domain", "lab.test", "--users", users];
      return new Dialtone(household, `server-${at + 1}`, ["serve", ...args]);
    });
    await Promise.all(servers.map((server) => server.event("server.started")));
  });

  after(async () => await household?.close());

  const drill = (name: string, ...args: string[]): Running => {
    const own = ["--config", config, "--bind", household.address(31), "--phases", "2"];
    return household.spawn(name, process.execPath, [CLI, "drill", ...own, ...args]);
  };

  test("an outage above the limit ends it with 1; the page says so, and no secret is in any of it", async () => {
    const report = household.path("report");
    const first = household.address(13);
    const running = drill(
      "drill",
      ...["--cut", first, "--limit", "2", "--patience", "3", "--report", report],
    );
    await running.exited;
    const said = running.lines.join("\n");
    assert.equal(running.exitCode, 1, said);
    assert.match(said, /Server 1 falls silent: +measured +foretold\n +the next call/);
    assert.match(said, /do not reach it for +not in time .*longer than the limit/);
    assert.match(said, /Server 1 is gone .*\n +the next call .* 0\.\d s/);
    assert.deepEqual(readdirSync(report).sort(), ["drill.json", "index.html", "trace.jsonl"]);
    const page = readFileSync(join(report, "index.html"), "utf8");
    assert.match(page, /class="verdict bad">2 failures drilled; 2 of 2 took longer than 2\.0 s/);
    for (const name of readdirSync(report)) {
      assert.equal(readFileSync(join(report, name), "utf8").includes("gate-3001"), false, name);
    }
    const trace = readFileSync(join(report, "trace.jsonl"), "utf8").trim().split("\n");
    const cuts = trace.map((line) => JSON.parse(line)).filter(({ event }) => event === "drill.cut");
    assert.deepEqual(
      cuts.map(({ fault, addresses }) => `${fault} ${addresses}`),
      [`silent ${first}`, `silent ${first}`, `closed ${first}`, `closed ${first}`],
    );
    for (const server of servers) await unbound(server);
  });

  test("on real sockets a hedge has the next call answered long before a silent server is given up (§8)", async () => {
    const hedged = household.path("hedged.yaml");
    const [account] = JSON.parse(readFileSync(config, "utf8")).accounts;
    writeFileSync(hedged, JSON.stringify({ accounts: [{ ...account, hedge: "500 ms" }] }));
    const own = ["--config", hedged, "--bind", household.address(31), "--phases", "1"];
    const cut = ["--cut", household.address(13), "--patience", "3"];
    const running = household.spawn("hedged", process.execPath, [CLI, "drill", ...own, ...cut]);
    await running.exited;
    const said = running.lines.join("\n");
    const silent = /falls silent:.*\n +the next call is answered after +(\d+\.\d) s/.exec(said);
    const seconds = Number(silent?.[1]);
    assert.ok(seconds >= 0.5 && seconds < 5, said);
  });

  test("broken off it unregisters, says so and ends with 1", async () => {
    const [server] = servers as [Dialtone];
    const from = server.mark;
    const running = drill("broken", "--json");
    await running.line(/"event":"drill.planned"/);
    await server.event("binding.added", {}, from);
    running.signal("SIGINT");
    await running.exited;
    assert.equal(running.exitCode, 1);
    assert.match(
      running.lines.at(-1) ?? "",
      /"passed":false,"verdict":"The drill was broken off\."/,
    );
    await unbound(server);
  });

  test("a phone that is registered nowhere has nothing to lose: exit 1", async () => {
    const nowhere = household.path("nowhere.yaml");
    const account = {
      ...CONFIG.accounts[0],
      servers: [{ address: household.address(99), port: 5060 }],
    };
    writeFileSync(nowhere, JSON.stringify({ accounts: [account] }));
    const args = ["--config", nowhere, "--bind", household.address(32), "--patience", "1"];
    const running = household.spawn("nowhere", process.execPath, [CLI, "drill", ...args]);
    await running.exited;
    assert.equal(running.exitCode, 1);
    assert.match(running.lines.join("\n"), /registered nowhere \(not within 1 s\)/);
  });

  test("what is meant by --cut must be there; flags are told with what to write instead", async () => {
    const running = drill("cut", "--cut", "192.0.2.1");
    await running.exited;
    assert.equal(running.exitCode, 2);
    assert.match(running.lines.join("\n"), /--cut: 192\.0\.2\.1 is none of 1, 127\.\d+\.62\.13, 2/);
    assert.match(
      refused("--config", config, "--cut", "1", "9"),
      /^command line: --cut: there is no server 9; write one of 1, 2, or an address\n$/,
    );
    assert.match(
      refused("--config", config, "--account", "7"),
      /--account: 7 is not an enabled account; write one of 1/,
    );
    assert.match(refused("--config", config, "--bind", "here"), /--bind: "here" is no address/);
    assert.match(refused("--config", config, "--to", "a b"), /--to: "a b" cannot be dialled/);
    assert.match(refused("--config", household.path("none.yaml")), /none\.yaml:1: /);
  });
});
