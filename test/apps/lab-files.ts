/**
 * Provisioning files for the lab: the makers' samples, each with a second file that shortens what one would otherwise
 * wait minutes for, as an overlay on the phone does.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { FilesCase } from "../../src/apps/lab/foretold.ts";

const SAMPLES = join(import.meta.dirname, "..", "..", "..", "examples", "provisioning");

export interface NamedCase {
  readonly name: string;
  readonly files: FilesCase;
}

type Lines = Readonly<Record<string, string | number>>;

const COMMON = {
  account: undefined,
  faults: ["silent", "closed"],
  targets: 2,
  ttlSeconds: 10,
  phases: 10,
  seed: 1,
  withinMs: 20_000,
} as const;

/** Renewed each 5 s, the shortest that the family allows. */
const QUICK_YEALINK: Lines = {
  "account.1.sip_server.1.expires": 30,
  "account.1.register_expires_overlap": 25,
  "account.1.sip_server.1.retry_counts": 1,
  "account.1.sip_server.1.invite_retry_counts": 1,
};

function yealink(name: string, sample: string, lines: Lines): NamedCase {
  const all = Object.entries({ ...QUICK_YEALINK, ...lines });
  const text = ["#!version:1.0.0.1", ...all.map((pair) => pair.join(" = "))].join("\n");
  return shortened(name, `${sample}.cfg`, { name: "short.cfg", text });
}

function polycom(name: string, sample: string, lines: Lines): NamedCase {
  const attributes = Object.entries(lines).map(([key, value]) => `${key}="${value}"`);
  const text = `<polycomConfig>\n<all ${attributes.join("\n")}/>\n</polycomConfig>`;
  return shortened(name, `${sample}.xml`, { name: "short.xml", text });
}

function shortened(
  name: string,
  sample: string,
  overlay: { readonly name: string; readonly text: string },
): NamedCase {
  const text = readFileSync(join(SAMPLES, sample), "utf8");
  return { name, files: { ...COMMON, files: [{ name: sample, text }, overlay] } };
}

/** Only the calls: minutes pass before anything else is noticed. */
function asItIs(sample: string): NamedCase {
  const text = readFileSync(join(SAMPLES, sample), "utf8");
  const files = { ...COMMON, faults: ["silent"], files: [{ name: sample, text }] } as const;
  return { name: `${sample} as it is`, files };
}

function quickPolycom(prefix: string, more: Lines = {}): Lines {
  return {
    [`${prefix}.server.1.expires`]: 10,
    [`${prefix}.server.1.expires.overlap`]: 5,
    [`${prefix}.server.1.retryMaxCount`]: 2,
    [`${prefix}.server.1.retryTimeOut`]: 300,
    ...more,
  };
}

export const CASES: readonly NamedCase[] = [
  asItIs("Y1-register-fallback.cfg"),
  yealink("Y1", "Y1-register-fallback", {
    "account.1.fallback.timeout": 10,
    "account.1.sip_server.2.expires": 30,
  }),
  yealink("Y2", "Y2-invite-fallback", {
    "account.1.sip_server.2.expires": 30,
    "account.1.reg_failed_retry_min_time": 0,
    "account.1.reg_fail_retry_interval": 5,
  }),
  yealink("Y3", "Y3-dns-failover", {}),
  yealink("Y4", "Y4-register-first-static-dns", {
    "account.1.sip_server.1.failback_mode": 2,
    "sip.reg_surge_prevention": 0,
  }),
  yealink("Y5", "Y5-both-levels", { "account.1.fallback.timeout": 10 }),
  yealink("Y6", "Y6-outbound-proxies", { "account.1.outbound_proxy_fallback_interval": 10 }),
  yealink("Y7, over TLS", "Y7-tls-two-accounts", {
    "account.1.sip_server.2.expires": 30,
    "account.1.reg_failed_retry_min_time": 0,
    "account.1.reg_fail_retry_interval": 5,
  }),
  asItIs("P1-fallback-register-both.xml"),
  polycom(
    "P1",
    "P1-fallback-register-both",
    quickPolycom("reg.1", { "reg.1.server.1.registerRetry.baseTimeOut": 10 }),
  ),
  polycom(
    "P2",
    "P2-dns-failover-duration",
    quickPolycom("voIpProt", { "voIpProt.server.1.failOver.failBack.mode": "registration" }),
  ),
  polycom("P3", "P3-line-overrides-globals", quickPolycom("reg.1")),
  polycom("P4", "P4-static-dns-ttl", quickPolycom("reg.1")),
  polycom(
    "P5",
    "P5-outbound-proxy",
    quickPolycom("reg.1", { "reg.1.outboundProxy.failOver.failBack.mode": "registration" }),
  ),
  polycom("P6, over TLS", "P6-tls-four-servers", quickPolycom("voIpProt")),
];
