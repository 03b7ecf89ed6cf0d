/** Everything over IPv6 alone, on real sockets: registration, a call with audio, addresses as written (RFC 5118). */
import { equal, match, ok, rejects } from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import type { Call, PhoneOptions } from "../../src/index.ts";
import { patience, startPhone, startServer } from "../api/town.ts";
import { authority, certificate, key } from "./certificates.ts";

const LOOPBACK = "::1";

for (const transport of ["udp", "tcp", "tls", "ws", "wss"] as const) {
  test(`${transport}: phones on [::1] register and call with audio, addresses in brackets (R123)`, async (t) => {
    const server = await startServer(t, {
      listen: [`${transport}:[${LOOPBACK}]:0`],
      tls: { certificate, key },
    });
    equal(server.addresses[0]?.startsWith(`${transport}:[::1]:`), true, server.addresses[0]);
    const added = once(server, "binding.added", patience());
    const options: Partial<PhoneOptions> = {
      bind: LOOPBACK,
      tls: { authorities: [authority] },
      trace: true,
    };
    const caller = await startPhone(t, server, "2001", options);
    const [{ source }] = (await added) as [{ readonly source: string }];
    match(source, new RegExp(`^${transport}:\\[::1\\]:\\d+$`));
    const callee = await startPhone(t, server, "2002", options);
    const said: string[] = [];
    caller.on("message.sent", ({ data }) =>
      said.push(Buffer.from(data, "base64").toString("latin1")),
    );
    const called = once(callee, "call", patience());
    const ours = caller.call("2002");
    const [theirs] = (await called) as [Call];
    const heard = [once(ours, "heard", patience()), once(theirs, "heard", patience())];
    await Promise.all([theirs.answer(), ours.answered]);
    await Promise.all(heard);
    await theirs.hangup();
    equal((await ours.ended).why, "peer-hung-up");
    const invite = said.find((text) => text.startsWith("INVITE")) ?? "";
    const place = /\[::1\](:\d+)?/;
    match(invite, new RegExp(`\r\nVia: SIP/2.0/${transport.toUpperCase()} ${place.source};`));
    match(invite, new RegExp(`\r\nContact: <sips?:2001@${place.source}`));
    ok(invite.includes("\r\nc=IN IP6 ::1\r\n"), invite);
  });
}

test("phones on IPv4 and on IPv6 reach each other through a server that has both; where media have no common family 488 says so", async (t) => {
  const server = await startServer(t, { listen: ["udp:127.0.0.1:0", `udp:[${LOOPBACK}]:0`] });
  const [four = "", six = ""] = server.addresses;
  const one = await startPhone(t, [four], "2001");
  const other = await startPhone(t, [six], "2002", { bind: LOOPBACK });
  for (const [from, to, user] of [
    [one, other, "2002"],
    [other, one, "2001"],
  ] as const) {
    to.handle("MESSAGE", async () => 200);
    const answer = await from.request({
      method: "MESSAGE",
      to: user,
      body: "hello",
      ...patience(),
    });
    equal(answer.status, 200);
    to.on("call", (call) => call.answer().catch(() => undefined));
    await rejects(from.call(user).answered, { status: 488 });
  }
});
