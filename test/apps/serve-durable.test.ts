/** Bindings outlive the process: a crash right after a 200 loses none, and two processes share one folder. */
import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { decodeBindings } from "../../src/core/server/binding.ts";
import { openStore } from "../../src/worlds/node/stores/open-store.ts";
import { Household, type Running } from "../support/processes.ts";

const CLI = join(import.meta.dirname, "..", "..", "src", "apps", "cli.js");

/** How often a server is killed in all, and by how many lanes at once. */
const KILLS = 100;
const LANES = 4;

const PORT = 5060;

describe("a store in a folder", () => {
  let household: Household;

  before(async () => {
    household = await Household.open(62);
  });

  after(async () => await household.close());

  const serve = async (address: string, store: string, name: string): Promise<Running> => {
    const listen = ["--listen", `udp:${address}:${PORT}`, "--domain", "example.com", "--open"];
    const args = [CLI, "serve", ...listen, "--store", store, "--name", name, "--json"];
    const server = household.spawn(name, process.execPath, args);
    await server.line(/server\.started/);
    return server;
  };

  test(`kill -9 right after the 200 to a REGISTER loses no binding, ${KILLS} times`, async () => {
    const lane = async (number: number): Promise<void> => {
      const store = household.path(`lane-${number}`);
      const address = household.address(10 + number);
      const phone = await phoneAt(address);
      for (let round = 0; round < KILLS / LANES; round += 1) {
        const server = await serve(address, store, `lane-${number}`);
        const answer = await register(phone, address, `user${round}`, round);
        server.signal("SIGKILL");
        assert.match(answer, /^SIP\/2\.0 200 /);
        await server.exited;
      }
      phone.close();
      const kept = await openStore(store);
      for (let round = 0; round < KILLS / LANES; round += 1) {
        const key = `aor/user${round}@example.com`;
        const value = await new Promise<string | undefined>((done) => {
          kept.ask({ kind: "store.read", key }, (reply) =>
            done(reply.kind === "stored" ? reply.value : undefined),
          );
        });
        const [binding] = decodeBindings(value, 0);
        assert.equal(binding?.uri, `sip:user${round}@${address}`, key);
        assert.equal(binding?.cseq, round);
      }
      await kept.close();
    };
    await Promise.all(Array.from({ length: LANES }, (_, number) => lane(number)));
  });

  test("two servers on one folder: a call to a phone registered at the other arrives", async () => {
    const store = household.path("shared");
    const [first, second] = [household.address(21), household.address(22)];
    const one = await serve(first, store, "one");
    const two = await serve(second, store, "two");
    const bob = await phoneAt(household.address(23));
    const alice = await phoneAt(household.address(24));
    assert.match(await register(bob, second, "bob", 1), /^SIP\/2\.0 200 /);
    const invited = once(bob, "message");
    const { address, port } = alice.address();
    const lines = [
      "INVITE sip:bob@example.com SIP/2.0",
      `Via: SIP/2.0/UDP ${address}:${port};branch=z9hG4bKcall;rport`,
      `From: <sip:alice@example.com>;tag=a`,
      "To: <sip:bob@example.com>",
      "Call-ID: call",
      "CSeq: 1 INVITE",
      "Max-Forwards: 70",
      `Contact: <sip:alice@${address}:${port}>`,
      "Content-Length: 0",
    ];
    alice.send(`${lines.join("\r\n")}\r\n\r\n`, PORT, first);
    const [invite] = (await invited) as [Buffer];
    assert.match(invite.toString("latin1"), /^INVITE sip:bob@/);
    bob.close();
    alice.close();
    await Promise.all([one.stop(), two.stop()]);
  });
});

async function phoneAt(address: string): Promise<Socket> {
  const phone = createSocket("udp4");
  phone.bind(0, address);
  await once(phone, "listening");
  return phone;
}

/** Sends a REGISTER and gives the answer. */
async function register(
  phone: Socket,
  server: string,
  user: string,
  cseq: number,
): Promise<string> {
  const { address, port } = phone.address();
  const lines = [
    "REGISTER sip:example.com SIP/2.0",
    `Via: SIP/2.0/UDP ${address}:${port};branch=z9hG4bK${user}${cseq};rport`,
    `From: <sip:${user}@example.com>;tag=1`,
    `To: <sip:${user}@example.com>`,
    `Call-ID: reg-${user}`,
    `CSeq: ${cseq} REGISTER`,
    "Max-Forwards: 70",
    `Contact: <sip:${user}@${address}${user === "bob" ? `:${port}` : ""}>`,
    "Content-Length: 0",
  ];
  const answer = once(phone, "message");
  phone.send(`${lines.join("\r\n")}\r\n\r\n`, PORT, server);
  const [bytes] = (await answer) as [Buffer];
  return bytes.toString("latin1");
}
