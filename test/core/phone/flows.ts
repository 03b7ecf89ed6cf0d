/** Phones that ask for RFC 5626, and registrars that grant it. */
import assert from "node:assert/strict";
import type { Request } from "../../../src/core/message/message.ts";
import type { RedundancyPolicy, ServerPolicy } from "../../../src/core/redundancy/policy.ts";
import {
  defaultAccount,
  defaultPolicy,
  defaultServer,
} from "../../../src/core/redundancy/policy-defaults.ts";
import { type PlaceName, Rehearsal, type RehearsalOptions } from "../redundancy/rehearsal.ts";
import type { Habit } from "../redundancy/scripted-server.ts";
import { calm } from "../redundancy/stages.ts";

export const PRIMARY = "192.0.2.13";
const PROXIES = ["192.0.2.33", "192.0.2.34"] as const;
export const TCP: { readonly transport: "tcp"; readonly port: number } = {
  transport: "tcp",
  port: 5060,
};

export type Policy = Partial<RedundancyPolicy>;

/** A phone of our own dialect with one server, or several, over TCP. */
export function phone(
  policy: Policy = {},
  options: RehearsalOptions = {},
  servers: readonly string[] = [PRIMARY],
): Rehearsal {
  const over = (address: string): ServerPolicy => defaultServer(address, TCP);
  const redundancy = { ...defaultPolicy(...servers.map(over)), ...calm(policy) };
  return new Rehearsal([defaultAccount("2001", redundancy)], options);
}

/** One with two outbound proxies, that speak to each other as one. */
export function proxied(policy: Policy = {}, options: RehearsalOptions = {}): Rehearsal {
  const proxies = PROXIES.map((address) => defaultServer(address, TCP));
  const stage = phone({ proxies, ...policy }, options);
  for (const name of ["proxy1", "proxy2"] as const) {
    stage.server(name).habits = { REGISTER: grants() };
    stage.server(name).pongs = true;
  }
  return stage;
}

/** A registrar that applies RFC 5626 to what asks for it. */
export function grants(headers: Readonly<Record<string, string>> = {}): Habit {
  return ({ headers: asked }) => {
    const contact = asked.get("contact") ?? "";
    const expires = asked.get("expires");
    const required = contact.includes("reg-id") ? { require: "outbound" } : {};
    const stands = expires === "0" ? {} : { contact: `${contact};expires=${expires}` };
    return [{ status: 200, headers: { ...stands, ...required, ...headers } }];
  };
}

export function last(stage: Rehearsal, name: PlaceName, method: string): Request {
  const found = stage.server(name).requests.findLast((request) => request.method === method);
  assert.ok(found, `${name} got no ${method}`);
  return found;
}

export function regIds(stage: Rehearsal, name: PlaceName): (string | undefined)[] {
  return stage
    .server(name)
    .requests.filter(({ method }) => method === "REGISTER")
    .map(({ headers }) => /reg-id=(\d+)/.exec(headers.get("contact") ?? "")?.[1]);
}
