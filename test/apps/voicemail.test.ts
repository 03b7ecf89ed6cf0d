/** What was said to a server that was killed meanwhile is heard at the one beside it: real processes, one store. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { SAMPLE_RATE } from "../../src/core/media/tones.ts";
import { Phone, tone } from "../../src/index.ts";
import { Household } from "../support/processes.ts";
import { Dialtone } from "../support/processes-dialtone.ts";
import { hearTone } from "../support/tones.ts";

const USERS = ['"2001": desk-2001', '"2002": {password: hall-2002, voicemail: "500"}', ""];

describe("voicemail of two nodes with one store", () => {
  let household: Household;

  before(async () => {
    household = await Household.open(71);
    writeFileSync(household.path("users.yaml"), USERS.join("\n"));
  });

  after(async () => await household.close());

  const serve = async (name: string, address: string): Promise<Dialtone> => {
    const listen = ["--listen", `udp:${address}:5060`, "--domain", "example.com", "--name", name];
    const store = ["--users", household.path("users.yaml"), "--store", household.path("store")];
    const server = new Dialtone(household, name, ["serve", ...listen, ...store]);
    await server.event("voicemail.started", { address });
    return server;
  };

  test("the lamp is lit, and the words said before the kill are all there but the last two seconds", async () => {
    const [first, second] = [household.address(13), household.address(14)];
    const primary = await serve("primary", first);
    await serve("secondary", second);
    const options = { domain: "example.com", bind: household.address(21) };
    const alice = new Phone({ ...options, user: "2001", password: "desk-2001", servers: first });
    const bob = new Phone({
      ...options,
      ...{ user: "2002", password: "hall-2002", servers: second },
      ...{ messageWaiting: true, answer: "busy" },
    });
    try {
      await alice.start();
      await alice.registered();
      const call = alice.call("2002");
      await call.answered;
      const heard = call.listen();
      await once(call, "heard");
      call.sendDtmf("#");
      await hearTone(heard, 880, 0.2);
      assert.equal(await call.play(spoken(523, 6.5)), true);
      primary.process.signal("SIGKILL");
      await primary.process.exited;
      const lit = once(bob, "message-waiting.changed");
      await bob.start();
      const [{ new: fresh }] = await lit;
      assert.equal(fresh, 1);
      const own = bob.call("500");
      await own.answered;
      await hearTone(own.listen(), 523, 3.5);
      await own.hangup();
      await call.hangup();
    } finally {
      await Promise.all([alice.stop(), bob.stop()]);
    }
  });
});

/** So many seconds of a tone. */
function spoken(hertz: number, seconds: number): Int16Array {
  const samples = new Int16Array(seconds * SAMPLE_RATE);
  tone(hertz).read(samples);
  return samples;
}
