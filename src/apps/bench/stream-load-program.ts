/**
 * `node stream-load-program.js tcp|tls PORT COUNT USERS`: registers the users in turn over as many open connections as
 * requests are under way, each user always over the same one, and prints one JSON object. It never sleeps.
 */
import { connect, type Socket } from "node:net";
import { connect as connectSecure } from "node:tls";
import { DOMAIN, userName, WINDOW } from "./load.ts";
import { registerMessage } from "./register-message.ts";

const LOST_MS = 5_000;

const [transport = "tcp"] = process.argv.slice(2);
const [port = 0, wanted = 0, people = 1] = [3, 4, 5].map((at) => Number(process.argv[at]));
// Later than any number of an earlier run: a million for each second.
let cseq = (Math.floor(Date.now() / 1000) % 2_000) * 1_000_000;
let [started, ok, bad, latest] = [0, 0, 0, performance.now()];

for (let lane = 0; lane < WINDOW; lane += 1) open(lane);
setImmediate(spin);

function open(lane: number): void {
  const socket =
    transport === "tls"
      ? // The server's certificate was made a moment ago, and nobody vouches for it.
        connectSecure({ port, host: "127.0.0.1", servername: DOMAIN, rejectUnauthorized: false })
      : connect({ port, host: "127.0.0.1" });
  let turn = 0;
  let buffered = "";
  const next = (): void => {
    if (started === wanted) return;
    started += 1;
    register(socket, (lane + WINDOW * turn) % (people - (people % WINDOW)));
    turn += 1;
  };
  socket.setNoDelay(true);
  socket.once(transport === "tls" ? "secureConnect" : "connect", next);
  socket.on("error", () => undefined);
  socket.on("data", (bytes) => {
    buffered += bytes.toString("latin1");
    // No answer to a REGISTER has a body.
    if (!buffered.endsWith("\r\n\r\n")) return;
    latest = performance.now();
    if (buffered.startsWith("SIP/2.0 200 ")) ok += 1;
    else bad += 1;
    buffered = "";
    next();
  });
}

function register(socket: Socket, number: number): void {
  cseq += 1;
  const user = userName(number);
  const text = registerMessage({
    user,
    domain: DOMAIN,
    password: "",
    // The same Contact in every run, whatever the connection's own port: it is a renewal.
    port: 5060,
    branch: `z9hG4bK-${cseq}`,
    cseq,
    nonce: undefined,
    nonceCount: 0,
  });
  socket.write(text.replace("/UDP", `/${transport.toUpperCase()}`).replace("=udp", "=tcp"));
}

function spin(): void {
  if (ok + bad < wanted && performance.now() - latest < LOST_MS) setImmediate(spin);
  else {
    const result = JSON.stringify({ ok, lost: wanted - ok - bad, bad });
    process.stdout.write(`${result}\n`, () => process.exit(0));
  }
}
