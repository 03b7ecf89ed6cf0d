/** Scenarios with programs of others in them, on real processes. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { describe, test } from "node:test";
import { loadScenarios } from "../../src/apps/lab/catalogue.ts";
import { junitOf, pageOf } from "../../src/apps/lab/report.ts";
import { leftOutLine, sortOut } from "../../src/apps/scenario/left-out.ts";
import { PROGRAM, player } from "../support/lab-plays.ts";
import { needs, type PeerName } from "../support/peers.ts";
import { membersOf, reached } from "../support/processes.ts";

const HOLDER = join(import.meta.dirname, "lab-holder.js");

const playScenario = player();

const PLAYED: Readonly<Record<string, readonly PeerName[]>> = {
  "kamailio-pair": ["kamailio"],
  "baresip-at-our-servers": ["baresip", "linphonec"],
  "sipp-calls": ["sipp"],
  "foreign-refusals": ["kamailio", "baresip"],
};

describe("scenarios with programs of others", { concurrency: true }, () => {
  for (const [name, peers] of Object.entries(PLAYED)) {
    test(`${name} passes with real processes`, needs(...peers), async () => {
      const played = await playScenario(name);
      assert.deepEqual(played?.verdict.failures, []);
      const ended = played?.records.filter(({ event }) => event === "process.ended") ?? [];
      assert.ok(ended.length > 0);
    });
  }
});

const STRANGERS = `name: strangers
title: baresip at a Kamailio with a configuration of its own is called by SIPp
servers: { primary: { kind: kamailio, config: mine.cfg } }
phones: { bob: { kind: baresip, user: "2002", expires: 9 } }
load:
  many: { kind: sipp, scenario: mine.xml, to: primary, callee: bob, rate: 4, calls: 4, talk: 0.2, transport: tcp }
play:
  - start: bob
  - until: { event: registration.accepted target=primary, by: bob }
  - start: many
  - until: { event: load.ended, by: many }
    within: 30
expect:
  - { event: load.ended calls=4 failed=0 share=1, by: many, count: 1 }
  - { message: INVITE, from: many, to: primary, resends: false, count: 4 }
  - { message: INVITE, from: primary, to: bob, resends: false, count: 4 }
  - { event: call.answered, by: bob, count: 4 }
  - { event: call.ended why=peer-hung-up, by: bob, count: 4 }
sequence:
  primary: []
`;
/** Registrar and proxy in a few lines, with nobody's password. */
const OWN_KAMAILIO = `#!KAMAILIO
debug=0
listen=udp:\${address}:\${port}
listen=tcp:\${address}:\${port}
alias="\${domain}"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
request_route {
  if (is_method("REGISTER")) {
    save("location");
    exit;
  }
  if (has_totag()) {
    loose_route();
    t_relay();
    exit;
  }
  record_route();
  if (is_method("INVITE") && !lookup("location")) {
    sl_send_reply("404", "Not Found");
    exit;
  }
  t_relay();
}
`;

test(
  "programs of others among themselves, with files of the user's, are watched and judged",
  needs("kamailio", "baresip", "sipp", "tshark"),
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "dialtone-lab-test-"));
    const uac = join(import.meta.dirname, "..", "..", "..", "scenarios", "lab", "sipp", "uac.xml");
    writeFileSync(join(folder, "strangers.yaml"), STRANGERS);
    writeFileSync(join(folder, "mine.cfg"), OWN_KAMAILIO);
    copyFileSync(uac, join(folder, "mine.xml"));
    const played = await playScenario(join(folder, "strangers.yaml"));
    rmSync(folder, { recursive: true, force: true });
    assert.deepEqual(played?.verdict.failures, []);
  },
);

test("the simulator refuses what has programs of others in it, and says why", () => {
  const args = ["sim", "--scenario", "kamailio-pair"];
  const { status, stderr } = spawnSync(process.execPath, [PROGRAM, ...args], { encoding: "utf8" });
  assert.equal(status, 2);
  assert.match(stderr, /kamailio-pair\.yaml:1: the scenario has kamailio.*dialtone lab plays it/);
});

test("what is not installed is named with what to install, and is no pass: status 3", () => {
  const { status, stderr } = spawnSync(
    process.execPath,
    [PROGRAM, "lab", "--scenario", "sipp-calls", "--exit"],
    { encoding: "utf8", env: { PATH: "/nonexistent" } },
  );
  assert.equal(stderr, "sipp-calls needs sipp; install it: apt-get install sip-tester\n");
  assert.equal(status, 3);
});

test("of all scenarios those are left out by name and reason, in the reports, too", () => {
  const { scenarios } = loadScenarios("all");
  const { playable, leftOut } = sortOut(scenarios, ({ name }) =>
    name === "kamailio-pair" ? "needs kamailio" : undefined,
  );
  assert.equal(playable.length, scenarios.length - 1);
  const [one] = leftOut;
  assert.ok(one !== undefined);
  assert.equal(leftOutLine(one, "lab", false), "kamailio-pair left out: needs kamailio");
  assert.match(
    leftOutLine(one, "lab", true),
    /"event":"scenario.left-out","scenario":"kamailio-pair"/,
  );
  assert.match(junitOf([], leftOut), /skipped="1".*<skipped message="needs kamailio"\/>/s);
  assert.match(pageOf([], leftOut), /kamailio-pair was left out: it needs kamailio\./);
});

/** A lab with a Kamailio in a process of its own, and the group of that Kamailio. */
async function heldKamailio(folder: string): Promise<{ lab: ChildProcess; group: number }> {
  const lab = spawn(process.execPath, [HOLDER, PROGRAM, "kamailio"], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, TMPDIR: folder },
  });
  const lines = createInterface({ input: lab.stdout as Readable });
  const [line] = (await once(lines, "line")) as [string];
  return { lab, group: Number(line) };
}

test("the folder of a lab that was killed is taken away by the next, that of one that lives is not", async () => {
  const folder = mkdtempSync(join(tmpdir(), "dialtone-lab-test-"));
  const held = async (): Promise<ChildProcess> => {
    const lab = spawn(process.execPath, [HOLDER, PROGRAM], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, TMPDIR: folder },
    });
    await once(createInterface({ input: lab.stdout as Readable }), "line");
    return lab;
  };
  const end = async (lab: ChildProcess): Promise<void> => {
    lab.kill("SIGKILL");
    await once(lab, "exit");
  };
  const [killed, alive] = [await held(), await held()];
  await end(killed);
  const left = (): string[] => readdirSync(folder).map((name) => name.split("-")[2] ?? "");
  assert.deepEqual(left().sort(), [String(killed.pid), String(alive.pid)].sort());
  const next = await held();
  assert.deepEqual(left().sort(), [String(alive.pid), String(next.pid)].sort());
  await Promise.all([end(alive), end(next)]);
  rmSync(folder, { recursive: true, force: true });
});

for (const signal of ["SIGTERM", "SIGKILL", "SIGUSR2"] as const) {
  const claim = `no program of others outlives a lab that ends by ${signal}, nor its children`;
  test(claim, needs("kamailio"), async () => {
    // Whoever is killed outright leaves his folder behind.
    const folder = mkdtempSync(join(tmpdir(), "dialtone-lab-test-"));
    const { lab, group } = await heldKamailio(folder);
    // Its port is there before its children are.
    await reached("Kamailio with its children", () => membersOf(group).length > 1);
    lab.kill(signal);
    await once(lab, "exit");
    await reached("the end of Kamailio", () => membersOf(group).length === 0);
    rmSync(folder, { recursive: true, force: true });
  });
}
