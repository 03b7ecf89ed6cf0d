/** The messages of one registration and one call, as phones and proxies write them. */

const SDP = lines(
  "v=0",
  "o=- 1763702400 1763702401 IN IP4 192.0.2.17",
  "s=-",
  "c=IN IP4 192.0.2.17",
  "t=0 0",
  "m=audio 11780 RTP/AVP 9 8 0 18 101",
  "a=rtpmap:9 G722/8000",
  "a=rtpmap:8 PCMA/8000",
  "a=rtpmap:0 PCMU/8000",
  "a=rtpmap:18 G729/8000",
  "a=fmtp:18 annexb=no",
  "a=rtpmap:101 telephone-event/8000",
  "a=fmtp:101 0-16",
  "a=ptime:20",
  "a=rtcp:11781",
  "a=sendrecv",
);

const ALLOW =
  "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REFER, INFO, UPDATE, PRACK, MESSAGE, SUBSCRIBE";
const CALLER = '"Reception" <sip:4100@example.com>;tag=2f8c11d0a6';
const CALLEE = "<sip:4217@example.com>;tag=as7c31b9e4";
const CALL = "Call-ID: 90c3e1b7f2a84d55@192.0.2.17";
const VIA = "Via: SIP/2.0/UDP 192.0.2.17:5060;branch=z9hG4bK58f0c2a91be3";
const PROXIED = [
  "Via: SIP/2.0/UDP 198.51.100.9:5060;branch=z9hG4bK-d2.31c0;received=198.51.100.9;rport=5060",
  "Via: SIP/2.0/UDP 198.51.100.4:5060;branch=z9hG4bK-77.a9f1;rport=5060",
  `${VIA};received=203.0.113.80;rport=41022`,
];
const ROUTES = [
  "Record-Route: <sip:198.51.100.9;lr;ep>",
  "Record-Route: <sip:198.51.100.4;lr;tag=f81c>",
];
const AGENT = "User-Agent: Desk phone 73.85.0.5 0015651a2b3c";

/** Bytes as they arrive, by name. */
export const MESSAGES: ReadonlyMap<string, Buffer> = new Map([
  [
    "REGISTER",
    message(
      "REGISTER sip:example.com SIP/2.0",
      `${VIA};rport;alias`,
      "Max-Forwards: 70",
      'From: "Reception" <sip:4100@example.com>;tag=77d0b2c95e',
      'To: "Reception" <sip:4100@example.com>',
      "Call-ID: 4b7a90d2c6e811ef@192.0.2.17",
      "CSeq: 2207 REGISTER",
      'Contact: "Reception" <sip:4100@192.0.2.17:5060;transport=udp;ob>;+sip.instance="<urn:uuid:f3a9d1c0-5be2-5a77-9c40-0015651a2b3c>";reg-id=1;expires=600',
      'Authorization: Digest username="4100", realm="example.com", nonce="t5u9rk.9x1c2v.0f6b8d3a5c7e91b2d4f6", uri="sip:example.com", response="9e107d9d372bb6826bd81d3542a419d6", algorithm=MD5, cnonce="5f2e81c4", opaque="d41d8cd98f00b204e9800998ecf8427e", qop=auth, nc=0000001f',
      "Expires: 600",
      ALLOW,
      "Supported: path, outbound, gruu, replaces",
      AGENT,
      "Content-Length: 0",
    ),
  ],
  [
    "INVITE",
    message(
      "INVITE sip:4217@example.com SIP/2.0",
      `${VIA};rport`,
      "Max-Forwards: 70",
      `From: ${CALLER}`,
      "To: <sip:4217@example.com>",
      CALL,
      "CSeq: 1 INVITE",
      "Contact: <sip:4100@192.0.2.17:5060;transport=udp;ob>",
      "Route: <sip:198.51.100.4:5060;lr;transport=udp>",
      'P-Asserted-Identity: "Reception" <sip:4100@example.com>',
      "Session-Expires: 1800;refresher=uac",
      "Min-SE: 90",
      ALLOW,
      "Supported: replaces, timer, 100rel",
      AGENT,
      "Content-Type: application/sdp",
      `Content-Length: ${SDP.length}`,
      "",
      SDP,
    ),
  ],
  [
    "200",
    message(
      "SIP/2.0 200 OK",
      ...PROXIED,
      ...ROUTES,
      `From: ${CALLER}`,
      `To: ${CALLEE}`,
      CALL,
      "CSeq: 1 INVITE",
      "Contact: <sip:4217@192.0.2.63:5060;transport=udp>",
      ALLOW,
      "Supported: replaces, timer",
      "Session-Expires: 1800;refresher=uac",
      AGENT,
      "Content-Type: application/sdp",
      `Content-Length: ${SDP.length}`,
      "",
      SDP,
    ),
  ],
  [
    "180",
    message(
      "SIP/2.0 180 Ringing",
      ...PROXIED.slice(1),
      ...ROUTES.slice(1),
      `From: ${CALLER}`,
      `To: ${CALLEE}`,
      CALL,
      "CSeq: 1 INVITE",
      "Contact: <sip:4217@192.0.2.63:5060;transport=udp>",
      AGENT,
      "Content-Length: 0",
    ),
  ],
  ["ACK", inDialog("ACK", 1)],
  ["BYE", inDialog("BYE", 2, AGENT, 'Reason: Q.850;cause=16;text="Normal call clearing"')],
]);

function inDialog(method: string, cseq: number, ...more: string[]): Buffer {
  return message(
    `${method} sip:4217@192.0.2.63:5060;transport=udp SIP/2.0`,
    `${VIA}7;rport`,
    "Max-Forwards: 70",
    "Route: <sip:198.51.100.4;lr;tag=f81c>",
    `From: ${CALLER}`,
    `To: ${CALLEE}`,
    CALL,
    `CSeq: ${cseq} ${method}`,
    ...more,
    "Content-Length: 0",
  );
}

function message(...text: string[]): Buffer {
  return Buffer.from(
    text.includes("") ? lines(...text).slice(0, -2) : lines(...text, ""),
    "latin1",
  );
}

function lines(...text: string[]): string {
  return text.map((line) => `${line}\r\n`).join("");
}
