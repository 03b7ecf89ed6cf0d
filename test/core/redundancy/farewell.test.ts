/** A phone that stops while a REGISTER is on its way leaves no binding behind (contract: finish what is in flight). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FOLLOWED } from "../../../src/core/phone/register-options.ts";
import type { Habit } from "./scripted-server.ts";
import { calm, concurrent, failover, successive } from "./stages.ts";

/** Says yes so long after the request. */
function yesAfter(afterMs: number, yes: Habit): Habit {
  return (request, now) => yes(request, now).map((reply) => ({ ...reply, afterMs }));
}

test("stop before the first 200: it is waited for, and what it bound is removed (R21, R22)", () => {
  const stage = failover({}, {}, { events: ["registration.accepted", "registration.removed"] });
  const server = stage.server("primary");
  server.habits = { REGISTER: yesAfter(400, (request) => server.yes(request)) };
  stage.start().until(0.1);
  stage.do((now) => stage.phone.stop(now)).until(5);
  stage.expect(`
    0.0 REGISTER → primary
    0.4 200 ← primary
    0.4 REGISTER 0 → primary
    0.8 200 ← primary
    0.8 * registration.removed server=1
  `);
  assert.equal(stage.phone.atRest, true);
});

test("stop before the first 200, which is lost: the resend brings it, and it is removed", () => {
  const stage = successive();
  const server = stage.server("primary");
  let heard = 0;
  server.habits = {
    REGISTER: (request) => {
      heard += 1;
      return heard === 1 ? [] : server.yes(request);
    },
  };
  stage.start().until(0.1);
  stage.do((now) => stage.phone.stop(now)).until(5);
  stage.expect(`
    0.0 REGISTER → primary
    0.5 REGISTER ↻ primary
    0.5 200 ← primary
    0.5 REGISTER 0 → primary
    0.5 200 ← primary
  `);
  assert.equal(stage.phone.atRest, true);
});

test("stop before the challenge: nothing was bound, so nothing more is sent", () => {
  const stage = successive();
  stage.server("primary").habits = {
    REGISTER: () => [
      {
        status: 401,
        afterMs: 300,
        headers: { "www-authenticate": 'Digest realm="r", nonce="n", qop="auth"' },
      },
    ],
  };
  stage.start().until(0.1);
  stage.do((now) => stage.phone.stop(now)).until(5);
  stage.expect(`
    0.0 REGISTER → primary
    0.3 401 ← primary
  `);
  assert.equal(stage.phone.atRest, true);
});

test("stop while nobody answers: no further server is asked, and the end comes with the patience of one", () => {
  const stage = successive().cut("primary").start().until(0.1);
  stage.do((now) => stage.phone.stop(now)).until(40);
  stage.expect(`
    0.0 REGISTER → primary
    0.5 REGISTER ↻ primary
    1.5 REGISTER ↻ primary
    3.5 REGISTER ↻ primary
  `);
  assert.equal(stage.phone.atRest, true);
});

test("stop while a binding stands and its renewal is not answered: it is removed after 1.5 s", () => {
  const stage = failover({ expiresSeconds: 600, overlapSeconds: 60 }).start().until(539).zero();
  stage.cut("primary").until(1.7);
  stage.do((now) => stage.phone.stop(now)).until(2.6);
  stage.revive("primary").until(6);
  stage.expect(`
    1.0 REGISTER → primary
    1.5 REGISTER ↻ primary
    2.5 REGISTER ↻ primary
    3.2 REGISTER 0 → primary
    3.2 200 ← primary
  `);
  assert.equal(stage.phone.atRest, true);
});

test("stop while a probe of a better server is on its way: both bindings are removed", () => {
  const stage = successive({ probeIntervalMs: 20_000 });
  const server = stage.server("primary");
  stage.kill("primary").start().until(10).revive("primary").until(19).zero();
  server.habits = { REGISTER: yesAfter(400, (request) => server.yes(request)) };
  stage.until(1.1);
  stage.do((now) => stage.phone.stop(now)).until(6);
  stage.expect(`
    1.0 REGISTER → primary
    1.1 REGISTER 0 → fallback
    1.1 200 ← fallback
    1.4 200 ← primary
    1.4 REGISTER 0 → primary
    1.8 200 ← primary
  `);
  assert.equal(stage.phone.atRest, true);
});

/** The connection it has registered over is about to be lost. */
function registeredOverTls(): ReturnType<typeof failover> {
  const overTls = { transport: "tls", port: 5061 } as const;
  return failover(overTls, {}, { supported: ["tls"] })
    .start()
    .until(10);
}

test("stop while a new connection is registered over: what stands by the name of the old one is removed, too", () => {
  const stage = registeredOverTls();
  const server = stage.server("primary");
  const bound = new Set([server.requests.at(-1)?.headers.get("contact")]);
  stage.kill("primary").revive("primary").zero();
  server.habits = {
    REGISTER: (request, now) => {
      const contact = request.headers.get("contact");
      if (request.headers.get("expires") === "0") bound.delete(contact);
      else bound.add(contact);
      return yesAfter(400, () => server.yes(request))(request, now);
    },
  };
  stage.until(0.1);
  stage.do((now) => stage.phone.stop(now)).until(5);
  stage.expect(`
    0.0 REGISTER → primary
    0.4 200 ← primary
    0.4 REGISTER 0 → primary
    0.8 200 ← primary
    0.8 REGISTER 0 → primary
    1.2 200 ← primary
  `);
  assert.deepEqual([...bound], []);
  assert.equal(stage.phone.atRest, true);
});

test("stop while a slow server registers over a new connection: both names are removed without its answer", () => {
  const stage = registeredOverTls();
  const server = stage.server("primary");
  stage.kill("primary").revive("primary").zero();
  server.habits = { REGISTER: yesAfter(1800, (request) => server.yes(request)) };
  stage.until(0.1);
  stage.do((now) => stage.phone.stop(now)).until(0.2);
  server.habits = {};
  stage.until(9);
  stage.expect(`
    0.0 REGISTER → primary
    1.6 REGISTER 0 → primary
    1.6 200 ← primary
    1.6 REGISTER 0 → primary
    1.6 200 ← primary
    1.8 200 ← primary
  `);
  const contacts = stage.sent.slice(-3).map(({ text }) => /^Contact: (.*)\r$/m.exec(text)?.[1]);
  assert.deepEqual(contacts[2], contacts[0]);
  assert.notEqual(contacts[1], contacts[0]);
  assert.equal(stage.phone.atRest, true);
});

test("stop while a failover is registered: both places are asked to remove it, the new one first", () => {
  const stage = failover({ expiresSeconds: 600, overlapSeconds: 60 }).start().until(539).zero();
  const server = stage.server("secondary");
  server.habits = { REGISTER: yesAfter(400, (request) => server.yes(request)) };
  stage.kill("primary").until(1.2).revive("primary");
  stage.do((now) => stage.phone.stop(now)).until(5);
  stage.expect(`
    1.0 REGISTER → primary
    1.0 REGISTER → secondary
    1.4 200 ← secondary
    1.4 REGISTER 0 → secondary
    1.8 200 ← secondary
    1.8 REGISTER 0 → primary
    1.8 200 ← primary
  `);
  assert.equal(stage.phone.atRest, true);
});

test("stop while a REGISTER is on its way to the secondary: its answer begins no way home", () => {
  const stage = failover({ failbackMode: "duration", failbackSeconds: 60 }).cut("primary");
  const server = stage.server("secondary");
  server.habits = { REGISTER: yesAfter(400, (request) => server.yes(request)) };
  stage.start().until(7).zero();
  stage.until(0.6).revive("primary");
  stage.do((now) => stage.phone.stop(now)).until(90);
  stage.expect(`
    0.5 REGISTER → secondary
    0.9 200 ← secondary
    0.9 REGISTER 0 → secondary
    1.3 200 ← secondary
  `);
  assert.equal(stage.phone.atRest, true);
});

test("wanted anew while its removal waits for a REGISTER that is refused: it is registered after that", () => {
  const stage = successive().start();
  const server = stage.server("primary");
  const registration = stage.account.registration(1);
  stage.until(10);
  registration?.forget();
  server.habits = {
    REGISTER: () => {
      server.habits = {};
      return [{ status: 500, afterMs: 400 }];
    },
  };
  const told: boolean[] = [];
  stage.zero().do((now) => {
    registration?.register(now, FOLLOWED);
    registration?.remove(now);
    registration?.register(now, FOLLOWED, (_now, registered) => void told.push(registered));
  });
  stage.until(5).expect(`
    0.0 REGISTER → primary
    0.4 500 ← primary
    0.4 REGISTER → primary
    0.4 200 ← primary
  `);
  assert.deepEqual(told, [true]);
});

test("stop before the records of the server have come: nothing is sent", () => {
  const stage = failover();
  stage.dns.state = "silent";
  stage.start().until(0.1);
  stage.do((now) => stage.phone.stop(now)).until(60);
  stage.expect("");
  assert.equal(stage.phone.atRest, true);
});

test("concurrent: each REGISTER on its way is seen to by itself", () => {
  const stage = concurrent(calm());
  for (const name of ["primary", "fallback"] as const) {
    const server = stage.server(name);
    const wait = name === "primary" ? 200 : 300;
    server.habits = { REGISTER: yesAfter(wait, (request) => server.yes(request)) };
  }
  stage.start().until(0.1);
  stage.do((now) => stage.phone.stop(now)).until(5);
  stage.expect(`
    0.0 REGISTER → primary
    0.0 REGISTER → fallback
    0.2 200 ← primary
    0.2 REGISTER 0 → primary
    0.3 200 ← fallback
    0.3 REGISTER 0 → fallback
    0.4 200 ← primary
    0.6 200 ← fallback
  `);
});

test("whenever it is stopped, a server that lives keeps no binding of it, however slow it is", () => {
  for (const afterMs of [0, 50, 400, 900]) {
    for (let stopped = 0; stopped <= 3000; stopped += 150) {
      const stage = failover({ expiresSeconds: 4, overlapSeconds: 2 });
      const primary = stage.server("primary");
      let bound = false;
      const challenge = { "www-authenticate": 'Digest realm="r", nonce="n", qop="auth"' };
      primary.habits = {
        REGISTER: (request) => {
          if (!request.headers.has("authorization")) {
            return [{ status: 401, afterMs, headers: challenge }];
          }
          bound = request.headers.get("expires") !== "0";
          return primary.yes(request).map((reply) => ({ ...reply, afterMs }));
        },
      };
      stage.start().until(stopped / 1000);
      stage.do((now) => stage.phone.stop(now)).until(stopped / 1000 + 4);
      assert.equal(bound, false, `stopped after ${stopped} ms, answers after ${afterMs} ms`);
    }
  }
});
