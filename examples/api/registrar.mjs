// A registrar and call server in a few lines: who registers is told, and anybody can call anybody.
//   node registrar.mjs udp:127.0.0.1:5060 tcp:127.0.0.1:5060
import { SipServer } from "dialtone";

const listen = process.argv.slice(2);
const server = new SipServer({
  listen: listen.length > 0 ? listen : ["udp:127.0.0.1:5060"],
  domain: "example.com",
  users: {
    2001: "desk-2001",
    2002: { password: "hall-2002", groups: ["everybody"] },
  },
  store: process.env.STORE ?? "memory",
});

server.on("binding.added", ({ aor, contact }) => console.log(`${aor} is at ${contact}`));
server.on("binding.removed", ({ aor }) => console.log(`${aor} is gone`));
server.on("call.started", ({ from, to }) => console.log(`${from} calls ${to}`));
server.on("request.refused", ({ method, from, status, why }) => {
  if (status !== 401 && status !== 407) console.log(`${method} of ${from}: ${status} ${why}`);
});

process.once("SIGINT", () => server.close());
process.once("SIGTERM", () => server.close());
await server.start();
console.log(`listening at ${server.addresses.join(" and ")}`);
