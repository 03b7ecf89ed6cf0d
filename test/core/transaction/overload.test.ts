/** What a client keeps back from an overloaded server (RFC 7339 §5.10, RFC 7415 §3.5). */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Peer } from "../../../src/core/machine.ts";
import type { OverloadReport } from "../../../src/core/message/overload.ts";
import { LossSieve, RateBucket, Throttle } from "../../../src/core/transaction/throttle.ts";
import type { Flow } from "../../../src/core/transaction/user.ts";
import { answerTo } from "../../support/script.ts";
import { RFC_SPACING, Stage } from "./stage.ts";

const ALL = { value: 100, sequence: 1 };

/** Chance that goes evenly through all there is. */
const even = (() => {
  let state = 0;
  return { uint32: (): number => (state = (state + 0x9e37_79b9) >>> 0) };
})();

class Line {
  readonly stage: Stage = new Stage();
  readonly flow: Flow;

  constructor(peer: Partial<Peer> = {}) {
    this.flow = this.stage.flow(peer);
  }

  /** The server answers an OPTIONS with a report. */
  report({ value, sequence }: { value: number; sequence: number }, validityMs = 500): this {
    this.stage.send(this.flow, "OPTIONS");
    const said = `;oc=${value};oc-algo="loss";oc-validity=${validityMs};oc-seq=${sequence}`;
    const { text } = this.stage.script.sent.at(-1) as { text: string };
    const answer = answerTo(text, 200).replace(/^(Via: [^\r]*)/m, `$1${said}`);
    this.stage.script.receive(this.flow.id, answer);
    this.stage.script.take();
    return this;
  }

  /** What becomes of a request. */
  send(method: string, more: string[] = [], flow: Flow = this.flow): "sent" | "kept back" {
    this.stage.send(flow, method, RFC_SPACING, more);
    this.stage.script.until(this.stage.script.now);
    const lines = this.stage.script.take().join("\n");
    if (lines.includes(`──▶ ${method}`)) return "sent";
    assert.match(lines, new RegExp(`user: 503 to ${method}`));
    return "kept back";
  }

  wait(ms: number): this {
    this.stage.script.until(this.stage.script.now + ms);
    this.stage.script.take();
    return this;
  }
}

suite("a client told to keep everything back", () => {
  test("sends nothing to that server, and its user hears 503 (R109)", () => {
    const line = new Line().report(ALL);
    assert.equal(line.send("REGISTER"), "kept back");
    assert.equal(line.send("INVITE"), "kept back");
  });

  test("goes on sending to all others", () => {
    const line = new Line().report(ALL);
    const other = line.stage.flow({ address: "127.0.0.14" });
    assert.equal(line.send("REGISTER", [], other), "sent");
  });

  test("sends BYE and CANCEL: a call that cannot be ended goes on at both ends (R109)", () => {
    const line = new Line().report(ALL);
    assert.equal(line.send("BYE"), "sent");
    assert.equal(line.send("PRACK"), "kept back");
  });

  test("keeps back over a new connection to that server, too, but not over that of another phone's port (R109)", () => {
    const line = new Line().report(ALL);
    const again = { ...line.flow.peer, localPort: line.flow.peer.localPort + 1 };
    assert.equal(line.send("REGISTER", [], line.stage.flow(again)), "sent", "another phone's port");
    const stream = new Line({ transport: "tcp" }).report(ALL);
    const anew = { ...stream.flow.peer, localPort: stream.flow.peer.localPort + 1 };
    assert.equal(stream.send("REGISTER", [], stream.stage.flow(anew)), "kept back");
  });

  test("sends again when the report has run out (R109)", () => {
    const line = new Line().report(ALL);
    assert.equal(line.wait(450).send("REGISTER"), "kept back");
    assert.equal(line.wait(50).send("REGISTER"), "sent");
  });

  for (const [end, value, validityMs] of [
    ["oc=0", 0, 500],
    ["oc-validity=0", 100, 0],
  ] as const) {
    test(`sends again at once after ${end} (R109)`, () => {
      const line = new Line().report({ value: 99, sequence: 1 }, 60_000);
      // Of preferred requests one or the other passes and fetches the news.
      const stage = line.stage;
      for (let tries = 0; tries < 500 && line.send("INFO", ["Authorization: x"]) !== "sent"; )
        tries += 1;
      const said = `;oc=${value};oc-validity=${validityMs};oc-seq=2`;
      const text = stage.script.sent.at(-1)?.text ?? "";
      stage.script.receive(
        line.flow.id,
        answerTo(text, 200).replace(/^(Via: [^\r]*)/m, `$1${said}`),
      );
      stage.script.take();
      assert.equal(line.send("REGISTER"), "sent");
    });
  }

  test("holds nothing and tells nobody anything after the layer has stopped", () => {
    const line = new Line().report(ALL);
    line.stage.send(line.flow, "REGISTER");
    line.stage.layer.stop();
    line.stage.script.take();
    line.stage.script.finish();
    assert.deepEqual(line.stage.script.take(), []);
    assert.equal(line.stage.layer.size, 0);
  });
});

test("an older report is ignored while a later one is valid (R109)", () => {
  const throttle = new Throttle(even);
  const report = (value: number, sequence: number): OverloadReport => {
    return { algorithm: "loss", value, validityMs: 500, sequence };
  };
  assert.equal(throttle.heard(0, report(100, 7.002)), true);
  assert.equal(throttle.heard(1, report(0, 7.001)), true);
  assert.equal(throttle.passes(2, false), false);
  assert.equal(throttle.heard(3, report(0, 7.003)), false);
  assert.equal(throttle.passes(4, false), true);
});

test("a late report does not silence again after a later one has ended it (R109)", () => {
  const line = new Line();
  line.report({ value: 0, sequence: 7 }, 0);
  line.report({ value: 100, sequence: 6 });
  assert.equal(line.send("REGISTER"), "sent");
  line.report({ value: 100, sequence: 8 });
  assert.equal(line.wait(400).send("REGISTER"), "kept back");
  assert.equal(line.wait(200).send("REGISTER"), "sent");
  line.report({ value: 100, sequence: 7.5 });
  assert.equal(line.send("REGISTER"), "sent");
});

test("a server that numbers its reports anew after a restart is believed when none can be late any more", () => {
  const line = new Line().report({ value: 0, sequence: 1_700_000_000 }, 0);
  assert.equal(line.wait(31_000).report({ value: 100, sequence: 3 }).send("REGISTER"), "sent");
  assert.equal(line.wait(1000).report({ value: 100, sequence: 4 }).send("REGISTER"), "kept back");
});

for (const [loss, preferred, ordinary] of [
  [0.2, 1, 0.6],
  [0.5, 1, 0],
  [0.75, 0.5, 0],
] as const) {
  test(`of requests that are preferred by half, a loss of ${loss} takes the others first (R109)`, () => {
    const sieve = new LossSieve(even);
    const passed = [0, 0];
    for (let index = 0; index < 4_000; index += 1) {
      const which = index % 2;
      if (sieve.passes(loss, which === 1)) passed[which] = (passed[which] as number) + 1;
    }
    assert.ok(Math.abs((passed[1] as number) / 2_000 - preferred) < 0.05, `${passed}`);
    assert.ok(Math.abs((passed[0] as number) / 2_000 - ordinary) < 0.05, `${passed}`);
  });
}

test("a rate is kept to the request, and some preferred ones may come in a burst (R110)", () => {
  const bucket = new RateBucket();
  let passed = 0;
  for (let now = 0; now < 10_000; now += 10) if (bucket.passes(now, 20, false)) passed += 1;
  assert.ok(passed >= 195 && passed <= 205, String(passed));
  const burst = [0, 0, 0, 0, 0, 0].map(() => bucket.passes(20_000, 20, true));
  assert.deepEqual(burst, [true, true, true, true, true, false]);
  assert.equal(bucket.passes(20_000, 20, false), false);
  assert.equal(bucket.passes(30_000, 0, true), false);
});
