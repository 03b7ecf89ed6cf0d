/** Whatever peers, users and the network do in whatever order: nothing throws, and nothing is left behind. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import type { ClientTransaction, Flow } from "../../../src/core/transaction/user.ts";
import { answerTo } from "../../support/script.ts";
import { incoming, RFC_SPACING, Stage } from "./stage.ts";

const METHODS = ["INVITE", "ACK", "CANCEL", "REGISTER", "OPTIONS", "BYE"];
const STATUSES = [100, 180, 200, 302, 401, 408, 486, 503, 603];
const TRANSPORTS = ["udp", "tcp", "tls", "ws"] as const;

const small = fc.nat(7);
const step = fc.oneof(
  fc.record({ kind: fc.constant("receive"), method: fc.constantFrom(...METHODS), of: small }),
  fc.record({ kind: fc.constant("garble"), at: fc.nat(400), of: small }),
  fc.record({ kind: fc.constant("send"), method: fc.constantFrom("INVITE", "OPTIONS"), of: small }),
  fc.record({ kind: fc.constant("answer"), status: fc.constantFrom(...STATUSES), of: small }),
  fc.record({ kind: fc.constant("respond"), status: fc.constantFrom(...STATUSES), of: small }),
  fc.record({ kind: fc.constant("abandon"), of: small }),
  fc.record({ kind: fc.constant("cancel"), of: small }),
  fc.record({ kind: fc.constant("lose"), of: small }),
  fc.record({ kind: fc.constant("wait"), ms: fc.nat(40_000), of: small }),
);

type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

class Disorder {
  readonly stage = new Stage();
  readonly sent: ClientTransaction[] = [];
  readonly flows: Flow[] = [];

  flow(of: number): Flow {
    const transport = TRANSPORTS[of % 4] ?? "udp";
    const known = this.flows[of];
    if (known !== undefined && this.stage.layer.flow(known.id) !== undefined) return known;
    const flow = this.stage.flow({ transport, port: 6000 + of, listener: 1 });
    this.flows[of] = flow;
    return flow;
  }

  take(now: Step): void {
    const { stage, sent } = this;
    const { script, begun } = stage;
    const call = sent[now.of];
    switch (now.kind) {
      case "receive":
        script.receive(this.flow(now.of).id, incoming(now.method, { branch: branch(now.of) }));
        break;
      case "garble": {
        const text = incoming("INVITE", { branch: branch(now.of) });
        const at = now.at % text.length;
        script.receive(this.flow(now.of).id, text.slice(0, at) + text.slice(at + 1));
        break;
      }
      case "send":
        sent.push(stage.send(this.flow(now.of), now.method, { ...RFC_SPACING }));
        break;
      case "answer": {
        const requests = script.sent.filter(({ text }) => !text.startsWith("SIP/2.0"));
        const request = requests[now.of];
        if (request === undefined) break;
        script.receive(this.flow(now.of).id, answerTo(request.text, now.status));
        break;
      }
      case "respond":
        if (begun[now.of] !== undefined) stage.respond(now.status, begun[now.of]);
        break;
      case "abandon":
        script.do((at) => call?.abandon(at));
        break;
      case "cancel":
        // A second CANCEL of the same INVITE would be the user's own fault.
        if (call?.request.method !== "INVITE") break;
        stage.cancel(call, this.flow(now.of));
        sent.splice(now.of, 1);
        break;
      case "lose":
        script.lose(this.flow(now.of).id, "reset");
        break;
      case "wait":
        script.until(script.now + now.ms);
        break;
    }
  }

  /** Every user says its last word; then time runs out. */
  end(): void {
    const { stage, sent } = this;
    for (const transaction of stage.begun) stage.respond(486, transaction);
    for (const transaction of sent) stage.script.do((now) => transaction.abandon(now));
    stage.script.finish();
  }
}

function branch(of: number): string {
  return `z9hG4bKpeer${of % 4}`;
}

suite("disorder", () => {
  test("leaves no transaction and no timer once every user has had its last word (I8)", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const disorder = new Disorder();
        for (const now of steps) disorder.take(now);
        disorder.end();
        assert.equal(disorder.stage.layer.transactions, 0);
        assert.equal(disorder.stage.timers.size, 0);
      }),
      { numRuns: 300 },
    );
  });
});
