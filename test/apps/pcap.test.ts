/** Capture files, read by tshark. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pcapOf } from "../../src/apps/trace/pcap.ts";
import { findPeer, needs } from "../support/peers.ts";
import { ALICE, fallbackTrace, message, PRIMARY, request, response } from "./lab-traces.ts";

const EPOCH_MS = Date.UTC(2026, 10, 21, 12, 0, 0);

function tshark(capture: Uint8Array, ...args: string[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), "dialtone-pcap-"));
  try {
    const file = join(folder, "trace.pcap");
    writeFileSync(file, capture);
    const checks = ["ip", "udp", "tcp"].flatMap((name) => ["-o", `${name}.check_checksum:TRUE`]);
    const output = execFileSync(findPeer("tshark") as string, ["-r", file, ...checks, ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return output.split("\n").filter((line) => line !== "");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test(
  "tshark reads the capture as SIP with right checksums and finds nothing malformed",
  needs("tshark"),
  () => {
    const capture = pcapOf(fallbackTrace(), EPOCH_MS);
    const fields = ["-T", "fields", "-e", "ip.dst", "-e", "sip.Method", "-e", "sip.Status-Code"];
    const seen = tshark(capture, ...fields);
    assert.equal(seen.length, 6);
    assert.equal(seen[0], "127.0.0.13\tREGISTER\t");
    assert.equal(seen[5], "127.0.0.21\t\t200");
    const faults = '_ws.malformed || ip.checksum.status == "Bad" || udp.checksum.status == "Bad"';
    assert.deepEqual(tshark(capture, "-Y", faults), []);
  },
);

test("tshark follows messages over TCP and over IPv6", needs("tshark"), () => {
  const invite = request("INVITE", "9");
  const capture = pcapOf(
    [
      ...message(0, 1, ALICE, PRIMARY, invite, "tcp"),
      ...message(2, 3, PRIMARY, ALICE, response(100, "Trying", "INVITE", "9"), "tcp"),
      ...message(4, 5, ["a", "[::1]:5070"], ["b", "[2001:db8::7]:5060"], invite),
    ],
    EPOCH_MS,
  );
  const fields = ["-T", "fields", "-e", "sip.Method", "-e", "sip.Status-Code", "-e", "ipv6.dst"];
  assert.deepEqual(tshark(capture, "-Y", "sip", ...fields), [
    "INVITE\t\t",
    "\t100\t",
    "INVITE\t\t2001:db8::7",
  ]);
  const faults = '_ws.malformed || tcp.checksum.status == "Bad" || udp.checksum.status == "Bad"';
  assert.deepEqual(tshark(capture, "-Y", faults), []);
  assert.deepEqual(tshark(capture, "-Y", "tcp.analysis.flags"), []);
});

test("an instant of the trace is shown at its wall-clock time, to the microsecond", () => {
  const file = Buffer.from(pcapOf(fallbackTrace(), EPOCH_MS));
  assert.equal(file.readUInt32LE(24), EPOCH_MS / 1000);
  assert.equal(file.readUInt32LE(28), 100_000);
});
