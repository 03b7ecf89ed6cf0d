/**
 * `node floor-registrar.js PORT [REALM PASSWORD]`: the least that any registrar on Node must do, as a yardstick. It looks
 * for line ends, keeps bindings in Maps and puts the answer together from pieces of the request. It checks nothing,
 * knows no retransmission and no other method: nobody should use it.
 */
import { hash, randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";

interface Binding {
  endsAt: number;
  callId: string;
  cseq: string;
}

/** The lines that matter, each with its end. */
interface Lines {
  via: string;
  from: string;
  to: string;
  "call-id": string;
  cseq: string;
  contact: string;
  expires: string;
  authorization: string;
}

const [port = "5060", realm = "", password] = process.argv.slice(2);
const bindings = new Map<string, Map<string, Binding>>();
const nonces = new Set<string>();
const secrets = new Map<string, string>();
let tags = 0;

const socket = createSocket({
  type: "udp4",
  recvBufferSize: 4 << 20,
  // Addresses come as numbers: nothing is to be looked up.
  lookup: (name, _options, found) => found(null, name, 4),
});
socket.on("message", (bytes, { address, port: from }) => {
  const text = bytes.toString("latin1");
  const lines = read(text);
  const head = `${lines.via}${lines.from}${lines.to.slice(0, -2)};tag=${(tags++).toString(36)}\r\n${lines["call-id"]}${lines.cseq}`;
  const answer =
    password === undefined || isKnown(lines.authorization, password)
      ? `SIP/2.0 200 OK\r\n${head}${bind(lines)}Content-Length: 0\r\n\r\n`
      : `SIP/2.0 401 Unauthorized\r\n${head}${challenge()}Content-Length: 0\r\n\r\n`;
  socket.send(Buffer.from(answer, "latin1"), from, address);
});
socket.bind(Number(port), "127.0.0.1", () => process.stdout.write("ready\n"));

function read(text: string): Lines {
  const lines: Lines = {
    via: "",
    from: "",
    to: "",
    "call-id": "",
    cseq: "",
    contact: "",
    expires: "",
    authorization: "",
  };
  let start = text.indexOf("\r\n") + 2;
  for (let end = text.indexOf("\r\n", start); end > start; end = text.indexOf("\r\n", start)) {
    const name = text.slice(start, text.indexOf(":", start)).toLowerCase();
    switch (name) {
      case "via":
        lines.via += text.slice(start, end + 2);
        break;
      case "from":
      case "to":
      case "call-id":
      case "cseq":
      case "contact":
      case "expires":
      case "authorization":
        lines[name] = text.slice(start, end + 2);
        break;
    }
    start = end + 2;
  }
  return lines;
}

/** Keeps what was asked for; gives the Contact lines of the answer. */
function bind({ to, contact, expires, "call-id": callId, cseq }: Lines): string {
  const now = Date.now();
  const user = between(to, "sip:", ">");
  const uri = between(contact, "<", ">");
  const asked = contact.indexOf(";expires=");
  const seconds = Number.parseInt(asked < 0 ? expires.slice(9) : contact.slice(asked + 9), 10);
  const endsAt = now + (seconds >= 0 ? seconds : 3600) * 1000;
  let known = bindings.get(user);
  if (known === undefined) {
    known = new Map();
    bindings.set(user, known);
  }
  const binding = known.get(uri);
  if (binding === undefined) known.set(uri, { endsAt, callId, cseq });
  else {
    binding.endsAt = endsAt;
    binding.callId = callId;
    binding.cseq = cseq;
  }
  let answer = "";
  for (const [one, { endsAt: end }] of known) {
    if (end > now) answer += `Contact: <${one}>;expires=${Math.ceil((end - now) / 1000)}\r\n`;
    else known.delete(one);
  }
  return answer;
}

function challenge(): string {
  const nonce = randomBytes(12).toString("hex");
  nonces.add(nonce);
  return `WWW-Authenticate: Digest realm="${realm}", nonce="${nonce}", algorithm=MD5, qop="auth"\r\n`;
}

function isKnown(line: string, secret: string): boolean {
  const nonce = between(line, 'nonce="', '"');
  if (!nonces.has(nonce)) return false;
  const user = between(line, 'username="', '"');
  let ha1 = secrets.get(user);
  if (ha1 === undefined) {
    ha1 = md5(`${user}:${realm}:${secret}`);
    secrets.set(user, ha1);
  }
  const ha2 = md5(`REGISTER:${between(line, 'uri="', '"')}`);
  const count = line.slice(line.indexOf(" nc=") + 4, line.indexOf(" nc=") + 12);
  const cnonce = between(line, 'cnonce="', '"');
  return md5(`${ha1}:${nonce}:${count}:${cnonce}:auth:${ha2}`) === between(line, 'response="', '"');
}

function between(text: string, before: string, after: string): string {
  const start = text.indexOf(before) + before.length;
  return text.slice(start, text.indexOf(after, start));
}

function md5(text: string): string {
  return hash("md5", text);
}
