/**
 * A drill against two Kamailio that it has never seen: one is cut off, and SIPp, which knows nothing of the drill,
 * calls the phone twice a second at the other. Both must find the same outage.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { startDnsmasq } from "../support/dnsmasq.ts";
import { Kamailio } from "../support/kamailio.ts";
import { findPeer, needs } from "../support/peers.ts";
import { Household, type Running } from "../support/processes.ts";
import { CLI, type DialtoneEvent } from "../support/processes-dialtone.ts";

const DOMAIN = "pbx.example.com";
const SCENARIO = join(
  ...[import.meta.dirname, "..", "..", "..", "test", "interop", "sipp", "drill-caller.xml"],
);
/** Renewals come every two to three seconds. */
const GRANTED_SECONDS = 5;
const CALLS_MS = 500;

describe("a drill at two Kamailio", needs("kamailio", "dnsmasq", "sipp"), () => {
  let household: Household;
  let primary: Kamailio;
  let secondary: Kamailio;
  let sipp: Running;
  let drill: Running;
  let report: string;
  let calls: string;

  before(async () => {
    household = await Household.open(61);
    report = household.path("report");
    calls = household.path("calls.log");
    const users = { "3001": "gate-3001", "9000": "answers-9000" };
    const kamailio = (name: string, last: number): Kamailio => {
      const settings = { domain: DOMAIN, users, maxExpires: GRANTED_SECONDS };
      return new Kamailio(household, name, { ...settings, address: household.address(last) });
    };
    primary = kamailio("primary", 13);
    secondary = kamailio("secondary", 14);
    const hosts = { a: primary.settings.address, b: secondary.settings.address };
    const [dns] = await Promise.all([
      startDnsmasq(household, { address: household.address(53), domain: DOMAIN, hosts }),
      primary.start(),
      secondary.start(),
    ]);
    const config = household.path("phone.yaml");
    const account = { user: "3001", password: "gate-3001", servers: [{ address: DOMAIN }] };
    writeFileSync(config, JSON.stringify({ accounts: [account] }));
    const own = household.address(40);
    sipp = household.spawn("sipp", findPeer("sipp") as string, [
      ...[`${secondary.settings.address}:5060`, "-sf", SCENARIO, "-i", own, "-p", "5060"],
      ...["-s", "3001", "-r", "1", "-rp", String(CALLS_MS), "-l", "100", "-m", "600", "-nostdin"],
      ...["-trace_logs", "-log_file", calls],
    ]);
    drill = household.spawn("drill", process.execPath, [
      ...[
        CLI,
        "drill",
        "--json",
        "--config",
        config,
        "--dns",
        dns,
        "--bind",
        household.address(31),
      ],
      ...["--cut", primary.settings.address, "--limit", "20", "--patience", "30"],
      ...["--report", report],
    ]);
    await drill.exited;
    await sipp.stop();
  });

  after(async () => await household?.close());

  const told = (): DialtoneEvent[] =>
    drill.lines.flatMap((line) => (line.startsWith("{") ? [JSON.parse(line)] : []));

  /** Seconds from the first cut of that kind to the first call of SIPp that reached the phone. */
  const seenBySipp = (fault: string): number => {
    const trace = readFileSync(join(report, "trace.jsonl"), "utf8").trim().split("\n");
    const events = trace.map((line) => JSON.parse(line) as DialtoneEvent & { time: string });
    const cut = events.find((one) => one.event === "drill.cut" && one.fault === fault);
    assert.ok(cut !== undefined);
    const reached = readFileSync(calls, "utf8")
      .split("\n")
      .flatMap((line) => /^reached (\S+)\s(\S+?)\d{3}\s/.exec(line) ?? [])
      .filter((_, index) => index % 3 !== 0);
    const begun: number[] = [];
    for (let at = 0; at < reached.length; at += 2) {
      begun.push(new Date(`${reached[at]}T${reached[at + 1]}`).getTime());
    }
    const first = begun.find((time) => time >= new Date(cut.time).getTime());
    assert.ok(first !== undefined, `no call of SIPp came through:\n${readFileSync(calls, "utf8")}`);
    return (first - new Date(cut.time).getTime()) / 1000;
  };

  test("it ends well: every outage is below the limit", () => {
    assert.equal(drill.exitCode, 0, drill.lines.slice(-30).join("\n"));
    assert.equal(told().at(-1)?.passed, true);
  });

  for (const fault of ["silent", "closed"] as const) {
    test(`${fault}: the outage is the one that SIPp saw, within a second, and as explain foretold`, () => {
      const measured = told().find((one) => one.event === "drill.measured" && one.fault === fault);
      const unreachable = measured?.unreachable as { seconds: number; agrees: boolean };
      assert.equal(unreachable.agrees, true, JSON.stringify(unreachable));
      const theirs = seenBySipp(fault);
      assert.ok(
        Math.abs(unreachable.seconds - theirs) <= 1,
        `the drill says ${unreachable.seconds} s, SIPp ${theirs} s`,
      );
    });
  }

  test("nothing was done to the servers: both still hold what they were told, and nothing of the drill stays", async () => {
    assert.deepEqual(await primary.bindings("3001"), []);
    assert.deepEqual(await secondary.bindings("3001"), []);
  });
});
