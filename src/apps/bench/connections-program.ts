/**
 * `node connections-program.js tcp|tls PORT FIRST COUNT`: registers so many users, each over a connection of its own,
 * says `held` when all are answered 200, and holds the connections until it is ended; `lost` when one ends.
 */
import { connect, type Socket } from "node:net";
import { connect as connectSecure } from "node:tls";
import { DOMAIN, userName } from "./load.ts";
import { registerMessage } from "./register-message.ts";

/** Handshakes at a time: what a server's backlog holds. */
const AT_ONCE = 100;

const [transport = "tcp"] = process.argv.slice(2);
const [port = 0, first = 0, count = 0] = [3, 4, 5].map((at) => Number(process.argv[at]));
let [opened, answered] = [0, 0];

for (let number = 0; number < Math.min(AT_ONCE, count); number += 1) open();

function open(): void {
  const user = userName(first + opened);
  opened += 1;
  const socket =
    transport === "tls"
      ? // The server's certificate was made a moment ago, and nobody vouches for it.
        connectSecure({ port, host: "127.0.0.1", servername: DOMAIN, rejectUnauthorized: false })
      : connect({ port, host: "127.0.0.1" });
  socket.once(transport === "tls" ? "secureConnect" : "connect", () => register(socket, user));
  socket.on("error", () => say("lost"));
  socket.on("close", () => say("lost"));
}

function register(socket: Socket, user: string): void {
  const text = registerMessage({
    user,
    domain: DOMAIN,
    password: "",
    port: socket.localPort ?? 0,
    branch: `z9hG4bK${user}`,
    cseq: 1,
    nonce: undefined,
    nonceCount: 0,
  });
  socket.write(text.replaceAll("/UDP", `/${transport.toUpperCase()}`).replaceAll("=udp", "=tcp"));
  socket.once("data", (bytes) => {
    if (!bytes.toString("latin1").startsWith("SIP/2.0 200 ")) return say("lost");
    answered += 1;
    if (opened < count) open();
    else if (answered === count) say("held");
  });
}

function say(word: string): void {
  process.stdout.write(`${word}\n`);
}
