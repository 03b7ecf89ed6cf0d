/** One connection between a phone and its server, for all that either of them asks (RFC 3261 §18, RFC 5626 §5.3). */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import type { Call } from "../../src/index.ts";
import { patience, startPhone, startServer } from "../api/town.ts";
import { authority, certificate, key } from "./certificates.ts";

interface MessageFields {
  readonly local: string;
  readonly remote: string;
  readonly data: string;
}

for (const transport of ["tcp", "tls", "ws", "wss"] as const) {
  test(`${transport}: a phone registers, calls, is called and hangs up over one connection (R47, R98)`, async (t) => {
    const server = await startServer(t, {
      listen: [`${transport}:127.0.0.1:0`],
      tls: { certificate, key },
    });
    const options = { tls: { authorities: [authority] }, trace: true };
    const one = await startPhone(t, server, "2001", options);
    const other = await startPhone(t, server, "2002", options);
    const places = new Set<string>();
    const methods = new Set<string>();
    const seen = (arrow: string, { local, remote, data }: MessageFields): void => {
      places.add(`${local} ${remote}`);
      methods.add(`${arrow} ${Buffer.from(data, "base64").toString("latin1").split(" ")[0]}`);
    };
    one.on("message.sent", (event) => seen("→", event));
    one.on("message.received", (event) => seen("←", event));
    for (const [from, to, user] of [
      [one, other, "2002"],
      [other, one, "2001"],
    ] as const) {
      const called = once(to, "call", patience());
      const ours = from.call(user);
      const [theirs] = (await called) as [Call];
      await Promise.all([theirs.answer(), ours.answered]);
      await theirs.hangup();
      await ours.ended;
    }
    await one.stop();
    assert.deepEqual([...places].length, 1, [...places].join("\n"));
    for (const method of ["→ INVITE", "← INVITE", "→ BYE", "← BYE", "→ REGISTER"]) {
      assert.ok(methods.has(method), [...methods].join(", "));
    }
  });
}
