/** The lab's name server in its thread, asked by Node's own resolver. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import { test } from "node:test";
import { NameServer } from "../../src/apps/lab/name-server.ts";
import { wallClock } from "../../src/apps/lab/wall-clock.ts";
import { readZone } from "../../src/apps/lab/zone-file.ts";

const ZONE = readZone("$ORIGIN lab.test.\npbx 60 IN A 192.0.2.13\n").zone;

/** A port that was free just now. */
async function freePort(): Promise<number> {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  await new Promise<void>((closed) => socket.close(() => closed()));
  return port;
}

test("answers, lies, hears some no more, tells of questions, and says when a change took effect", async () => {
  const asked: string[] = [];
  const server = new NameServer(({ name, type }) => asked.push(`${type} ${name}`));
  const port = await freePort();
  await server.listen("127.0.0.1", port, ZONE);
  const resolver = new Resolver({ timeout: 2000, tries: 1 });
  resolver.setServers([`127.0.0.1:${port}`]);
  assert.deepEqual(await resolver.resolve4("pbx.lab.test"), ["192.0.2.13"]);
  assert.deepEqual(asked, ["A pbx.lab.test"]);
  const before = wallClock();
  const at = await server.setFaults({ lie: ["203.0.113.9"] });
  assert.ok(at >= before - 2 && at <= wallClock() + 2, `${at - before} ms`);
  assert.deepEqual(await resolver.resolve4("pbx.lab.test"), ["203.0.113.9"]);
  await server.setFaults({ deafTo: ["127.0.0.1"] });
  await assert.rejects(resolver.resolve4("pbx.lab.test"), { code: "ETIMEOUT" });
  await server.setFaults({ deafTo: ["127.0.0.2"] });
  assert.deepEqual(await resolver.resolve4("pbx.lab.test"), ["203.0.113.9"]);
  await server.heal();
  assert.deepEqual(await resolver.resolve4("pbx.lab.test"), ["192.0.2.13"]);
  await server.close();
});

test("an address that is taken is refused by name", async () => {
  const squatter = createSocket("udp4");
  squatter.bind(0, "127.0.0.1");
  await once(squatter, "listening");
  const server = new NameServer(() => undefined);
  const taken = server.listen("127.0.0.1", squatter.address().port, ZONE);
  await assert.rejects(taken, /EADDRINUSE/);
  await server.close();
  squatter.close();
});
