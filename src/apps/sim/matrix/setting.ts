/**
 * The phone of the matrix: one account as the makers deliver it (Yealink and Matrix defaults), a working server with a
 * primary and a secondary target, and a fallback server with an address of its own. What chance decides is taken out.
 */
import type { AccountPolicy, RedundancyPolicy } from "../../../core/redundancy/policy.ts";
import {
  defaultAccount,
  POLICY_DEFAULTS,
  SERVER_DEFAULTS,
} from "../../../core/redundancy/policy-defaults.ts";
import type { ResourceRecord } from "../../../core/vocabulary.ts";
import { type Cell, isDnsFault, type MatrixTransport } from "./axes.ts";

export type PlaceName = "primary" | "secondary" | "fallback" | "stranger";

export const PLACE_NAMES: readonly PlaceName[] = ["primary", "secondary", "fallback", "stranger"];

/** Where everybody stands, and how long things take there; a real world is faster and on loopback addresses. */
export interface Setting {
  readonly address: Readonly<Record<PlaceName | "phone", string>>;
  readonly port: number;
  readonly t1Ms: number;
  /** What the world gives a connection to be made, its handshakes included. */
  readonly connectMs: number;
  /** How late a slow server answers. */
  readonly slowMs: number;
  /** How long one question waits for a silent resolver; it is asked twice more. */
  readonly dnsTimeoutMs: number;
}

export const DOMAIN = "pbx.example.com";
export const USER = "2001";
export const CALLEE = "2099";
export const RETRY_AFTER_SECONDS = 60;

/** The SUBSCRIBE of the matrix is a refresh: so long after the subscription was accepted. */
export const RESUBSCRIBE_MS = 2000;
export const SUBSCRIBED_SECONDS = 3600;
/** What is granted once the fault is there: no further refresh is watched. */
export const FURTHER_SECONDS = 7200;
/** Address records outlive every run but those whose fault is in the DNS. */
const LONG_TTL = 3600;
const SHORT_TTL = 1;

export const SIMULATED: Setting = {
  address: {
    phone: "192.0.2.100",
    primary: "192.0.2.13",
    secondary: "192.0.2.14",
    fallback: "192.0.2.15",
    stranger: "192.0.2.66",
  },
  port: 5060,
  t1Ms: 500,
  connectMs: 5000,
  slowMs: 20_000,
  dnsTimeoutMs: 3000,
};

export function policyOf(transport: MatrixTransport, setting: Setting): RedundancyPolicy {
  const server = { ...SERVER_DEFAULTS.yealink, port: setting.port, transport };
  const { t1Ms, dnsTimeoutMs } = setting;
  const defaults = POLICY_DEFAULTS.yealink;
  return {
    ...defaults,
    servers: [
      { ...server, address: DOMAIN },
      { ...server, address: setting.address.fallback, features: "basic" },
    ],
    t1Ms,
    t2Ms: 8 * t1Ms,
    // What requests find out is shown here, and not what keep-alives do.
    keepAliveMs: 0,
    dns: { ...defaults.dns, timeoutMs: dnsTimeoutMs },
  };
}

export function accountOf({ transport, method }: Cell, setting: Setting): AccountPolicy {
  return defaultAccount(USER, policyOf(transport, setting), {
    messageWaiting: method === "SUBSCRIBE",
    subscribeExpiresSeconds: SUBSCRIBED_SECONDS,
    subscribeOverlapSeconds: SUBSCRIBED_SECONDS - RESUBSCRIBE_MS / 1000,
  });
}

/** The zone before the fault. */
export function zoneOf(cell: Cell, setting: Setting): ResourceRecord[] {
  const ttl = isDnsFault(cell) ? SHORT_TTL : LONG_TTL;
  return addresses(ttl, setting.address.primary, setting.address.secondary);
}

export function lyingZone(setting: Setting): ResourceRecord[] {
  return addresses(LONG_TTL, setting.address.stranger);
}

/** Its records have run out so long after the phone has started. */
export const STALE_AFTER_MS: number = 2 * SHORT_TTL * 1000;

function addresses(ttl: number, ...list: readonly string[]): ResourceRecord[] {
  return list.map((address) => ({ type: "A", name: DOMAIN, ttl, address }));
}
