/** A caller whose connection breaks while the callee rings still gets the answer (RFC 3261 §18.2.2, RFC 3263 §5). */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { test } from "node:test";
import { DnsServer } from "../../src/apps/lab/dns-server.ts";
import { readZone } from "../../src/apps/lab/zone-file.ts";
import type { Call } from "../../src/index.ts";
import { atTheEnd, patience, startPhone, startServer } from "../api/town.ts";

/** Where the caller's connection comes from: nobody listens at its port 5060. */
const CALLER = "127.88.73.9";

const SDP = [
  "v=0",
  "o=- 1 1 IN IP4 127.0.0.1",
  "s=-",
  "c=IN IP4 127.0.0.1",
  "t=0 0",
  "m=audio 30000 RTP/AVP 0",
  "",
].join("\r\n");

const INVITE = [
  "INVITE sip:2002@example.com SIP/2.0",
  "Via: SIP/2.0/TCP edge.example;branch=z9hG4bKlost",
  "Max-Forwards: 70",
  "From: <sip:carol@elsewhere.example>;tag=c",
  "To: <sip:2002@example.com>",
  "Call-ID: lost-connection",
  "CSeq: 1 INVITE",
  "Contact: <sip:carol@edge.example;transport=tcp>",
  "Content-Type: application/sdp",
  `Content-Length: ${SDP.length}`,
  "",
  SDP,
].join("\r\n");

test("its answer arrives where the SRV records of the name in Via lead (R47, R73)", async (t) => {
  const alternate = createServer();
  alternate.listen(0, "127.0.0.1");
  await once(alternate, "listening");
  atTheEnd(t, async () => {
    alternate.close();
  });
  const { port } = alternate.address() as AddressInfo;
  const zone = `
_sip._tcp.edge.example. IN SRV 10 0 ${port} a.edge.example.
a.edge.example. IN A 127.0.0.1
`;
  const dns = new DnsServer({ zone: readZone(zone).zone });
  const bound = await dns.listen("127.0.0.1", 0);
  atTheEnd(t, () => dns.close());
  const server = await startServer(t, { dns: `127.0.0.1:${bound.port}`, acceptForeign: true });
  const callee = await startPhone(t, server, "2002");
  const called = once(callee, "call", patience());
  const tcp = server.addresses.find((address) => address.startsWith("tcp:")) ?? "";
  const caller = connect({
    host: "127.0.0.1",
    port: Number(tcp.slice(tcp.lastIndexOf(":") + 1)),
    localAddress: CALLER,
  });
  caller.write(INVITE);
  const [call] = (await called) as [Call];
  caller.destroy();
  await once(caller, "close");
  const answered = once(alternate, "connection", patience());
  call.answer().catch(() => undefined);
  const [connection] = await answered;
  const [bytes] = await once(connection, "data", patience());
  assert.match(String(bytes), /^SIP\/2\.0 (180|200) [\s\S]*\r\nVia: SIP\/2\.0\/TCP edge\.example;/);
  connection.destroy();
});
