/**
 * The judge itself: what tshark finds malformed on the loopback interface is told, and nothing else, be it in
 * datagrams, in TLS whose secrets one of us has written down, or in WebSocket frames.
 */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { appendFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from "node:tls";
import { WebSocket, WebSocketServer } from "ws";
import { authority, certificate, key } from "../node/certificates.ts";
import { Capture } from "./capture.ts";
import { needs } from "./peers.ts";
import { Household } from "./processes.ts";

/** Those at which Wireshark looks for SIP. */
const TLS_PORT = 5061;
const WS_PORT = 8080;
/** One that the system gives to whoever wants any, and that Wireshark takes for Elasticsearch's. */
const TAKEN_FOR_ANOTHERS = 54_328;

const GOOD = [
  "OPTIONS sip:a@example.com SIP/2.0",
  "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1",
  "From: <sip:b@example.com>;tag=1",
  "To: <sip:a@example.com>",
  "Call-ID: 1",
  "CSeq: 1 OPTIONS",
  "Content-Length: 0",
  "",
  "",
].join("\r\n");

describe("a capture", needs("tshark"), () => {
  let household: Household;

  before(async () => {
    household = await Household.open(49);
  });

  after(async () => await household?.close());

  test("counts what is sound and tells what is not", async () => {
    const capture = await Capture.start(household);
    const receiver = createSocket("udp4").bind(5060, household.address(13));
    await once(receiver, "listening");
    const sender = createSocket("udp4").bind(0, household.address(14));
    const broken = [
      GOOD.slice(0, -2),
      GOOD.replace("Content-Length: 0", "Content-Length: none"),
      GOOD.replace("Call-ID: 1", "Call-ID 1"),
    ];
    const token = GOOD.replaceAll("sip:a@", "sip:+h/uX@");
    for (const text of [GOOD, token, ...broken]) {
      sender.send(text, 5060, household.address(13));
      await once(receiver, "message");
    }
    const stranger = createSocket("udp4").bind(TAKEN_FOR_ANOTHERS, household.address(14));
    await once(stranger, "listening");
    const [discard, nobody] = [9, household.address(13)];
    await new Promise((sent) => stranger.send("no message", discard, nobody, sent));
    for (const socket of [sender, receiver, stranger]) socket.close();
    const { sip, rtp, faults } = await capture.dissect();
    assert.equal(sip, 2 + broken.length);
    assert.equal(rtp, 0);
    assert.equal(faults.length, broken.length, faults.join("\n"));
  });

  test("sees through TLS and WebSocket", async () => {
    const host = household.address(13);
    const capture = await Capture.start(household);
    const secureServer = createTlsServer({ cert: certificate, key }).listen(TLS_PORT, host);
    secureServer.on("keylog", (line: Buffer) => appendFileSync(household.keyLog, line));
    const webServer = new WebSocketServer({ host, port: WS_PORT });
    await Promise.all([once(secureServer, "listening"), once(webServer, "listening")]);
    const ends = [once(secureServer, "secureConnection"), once(webServer, "connection")];
    const secure = connectTls({ host, port: TLS_PORT, ca: authority, servername: "example.com" });
    const web = new WebSocket(`ws://${host}:${WS_PORT}`, "sip");
    await Promise.all([once(secure, "secureConnect"), once(web, "open")]);
    const [[secureEnd], [webEnd]] = (await Promise.all(ends)) as [[TLSSocket], [WebSocket]];
    for (const text of [GOOD, GOOD.replace("Call-ID: 1", "Call-ID 1")]) {
      const heard = [once(secureEnd, "data"), once(webEnd, "message")];
      secure.write(text);
      web.send(text);
      await Promise.all(heard);
    }
    secure.destroy();
    web.terminate();
    secureServer.close();
    webServer.close();
    const { sipOverTls, sipOverWebSocket, faults } = await capture.dissect();
    assert.deepEqual([sipOverTls, sipOverWebSocket], [2, 2]);
    assert.equal(faults.length, 2, faults.join("\n"));
  });
});
