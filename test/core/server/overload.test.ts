/** A server with too much to do (RFC 7339, RFC 7415, R108 to R111). */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Response } from "../../../src/core/message/message.ts";
import { LOSS_OFFER, type OverloadReport, reportIn } from "../../../src/core/message/overload.ts";
import { topVia } from "../../../src/core/message/via.ts";
import { TestPhone } from "./test-phone.ts";
import { type Host, Town } from "./town.ts";

const SERVER = "udp:10.0.0.1:5060";

class Crowd {
  readonly town: Town = new Town();
  readonly host: Host = this.town.server();
  readonly phone: TestPhone = new TestPhone(this.town, "udp:10.0.1.1:5060", "alice");

  /** The wait is so long, for so many tenths of a second from when that is believed. */
  waiting(waitMs: number, tenths = 1): this {
    for (let index = 0; index < tenths + 3; index += 1) {
      this.town.pass(100);
      this.host.run((now) => this.host.server.waited(now, waitMs));
    }
    return this;
  }

  /** Answers to so many requests. */
  ask(count: number, method = "OPTIONS", offer = "", lines: string[] = [], to = ""): Response[] {
    this.phone.received.length = 0;
    for (let index = 0; index < count; index += 1) {
      const branch = `z9hG4bK${this.town.now}x${index}${offer}`;
      const uri = "sip:example.com";
      this.phone.send(SERVER, method, uri, {
        branch,
        lines,
        to: `<${uri}>${to}`,
        callId: `call-${this.town.now}-${index}`,
      });
    }
    this.town.pass(10);
    return this.phone.responses;
  }
}

function refused(responses: readonly Response[]): number {
  return responses.filter(({ status }) => status === 503).length;
}

function reportOf(response: Response | undefined): OverloadReport | undefined {
  return response === undefined ? undefined : reportIn(topVia(response.headers)?.params ?? "");
}

suite("a server in time", () => {
  test("refuses nobody and says nothing of overload, whoever offered it", () => {
    const crowd = new Crowd().waiting(90, 20);
    assert.equal(refused(crowd.ask(50)), 0);
    const [answer] = crowd.ask(1, "OPTIONS", LOSS_OFFER);
    assert.equal(answer?.status, 200);
    assert.equal(reportOf(answer), undefined);
  });
});

test("a server that was held up once, for seconds, has nobody to refuse when it goes on", () => {
  const crowd = new Crowd().waiting(0, 5);
  for (const waitMs of [9_000, 300, 0, 5_000, 0]) {
    crowd.host.run((now) => crowd.host.server.waited(now, waitMs));
    assert.equal(refused(crowd.ask(20)), 0);
  }
});

suite("an overloaded server", () => {
  test("says how much to keep back, until when, and which word is the latest, to whom it offered (R108)", () => {
    const crowd = new Crowd().waiting(300, 3);
    const [first] = crowd.ask(1, "OPTIONS", LOSS_OFFER);
    const report = reportOf(first);
    assert.equal(first?.status, 200);
    assert.equal(report?.algorithm, "loss");
    assert.ok((report?.value ?? 0) > 20, `${report?.value} %`);
    assert.equal(report?.validityMs, 1_000);
    const [second] = crowd.waiting(300).ask(1, "OPTIONS", LOSS_OFFER);
    assert.ok((reportOf(second)?.sequence ?? 0) > (report?.sequence ?? 0));
  });

  test("gives a rate to whom knows nothing else (R110)", () => {
    const crowd = new Crowd().waiting(300);
    const offer = ';oc;oc-algo="rate"';
    crowd.ask(20, "OPTIONS", offer);
    crowd.waiting(300, 15);
    const report = reportOf(crowd.ask(1, "OPTIONS", offer)[0]);
    assert.equal(report?.algorithm, "rate");
    assert.ok((report?.value ?? 0) >= 1 && (report?.value ?? 0) <= 20, `${report?.value} a second`);
  });

  test("says nothing of it to those who did not offer, and refuses a share of them with Retry-After (R111)", () => {
    const crowd = new Crowd().waiting(150).waiting(300);
    const responses = crowd.ask(200);
    const shed = refused(responses);
    assert.ok(shed > 50 && shed < 100, `${shed} of 200`);
    const waits = new Set<number>();
    for (const response of responses) {
      assert.equal(reportOf(response), undefined);
      if (response.status === 503) waits.add(Number(response.headers.get("retry-after")));
    }
    assert.ok(Math.min(...waits) >= 1);
  });

  test("answers requests in dialogs and calls for help before all others (R109)", () => {
    const crowd = new Crowd().waiting(150).waiting(300);
    const ordinary = (): number => refused(crowd.ask(1));
    let [shed, inDialog, helpless] = [0, 0, 0];
    for (let index = 0; index < 100; index += 1) {
      shed += ordinary();
      inDialog += refused(crowd.ask(1, "INFO", "", [], ";tag=x"));
      shed += ordinary();
      helpless += refused(crowd.ask(1, "MESSAGE", "", ["Priority: emergency"]));
    }
    assert.ok(shed > 100, `${shed} of 200 others`);
    assert.ok(inDialog + helpless < 10, `${inDialog} and ${helpless} of 100 each`);
  });

  test("never refuses to end a call, when nothing but BYE comes either", () => {
    const crowd = new Crowd().waiting(2_000, 30);
    assert.equal(refused(crowd.ask(200, "BYE", "", [], ";tag=here")), 0);
    assert.ok(refused(crowd.ask(200)) > 100);
  });

  test("refuses even those who offered when telling them is not enough", () => {
    const crowd = new Crowd().waiting(600, 3);
    assert.ok(refused(crowd.ask(50, "OPTIONS", LOSS_OFFER)) > 20);
  });

  test("says that it is over as soon as it is, then falls silent; events frame it (R109)", () => {
    const crowd = new Crowd().waiting(300).waiting(0, 10);
    const report = reportOf(crowd.ask(1, "OPTIONS", LOSS_OFFER)[0]);
    assert.deepEqual([report?.value, report?.validityMs], [0, 0]);
    assert.equal(refused(crowd.ask(50)), 0);
    crowd.waiting(0, 25);
    assert.equal(reportOf(crowd.ask(1, "OPTIONS", LOSS_OFFER)[0]), undefined);
    assert.equal(crowd.town.eventsNamed("server.overloaded").length, 1);
    assert.equal(crowd.town.eventsNamed("server.relieved").length, 1);
  });

  test("gives each its own time to come back, no sooner than it can serve, and who resends the same (R111)", () => {
    const crowd = new Crowd().waiting(500, 12);
    crowd.ask(100);
    const waits = crowd
      .waiting(500, 8)
      .ask(100)
      .map(({ headers }) => Number(headers.get("retry-after")));
    assert.equal(waits.length, 100);
    const perSecond = new Map<number, number>();
    for (const wait of waits) perSecond.set(wait, (perSecond.get(wait) ?? 0) + 1);
    assert.ok(Math.max(...perSecond.values()) <= 35, [...perSecond].join(" "));
    const call = { callId: "the-same", cseq: 1, branch: "z9hG4bKsame" };
    crowd.phone.received.length = 0;
    for (const _ of [1, 2, 3]) crowd.phone.send(SERVER, "OPTIONS", "sip:example.com", call);
    crowd.town.pass(10);
    const same = crowd.phone.responses.map(({ headers }) => headers.get("retry-after"));
    assert.equal(same.length, 3);
    assert.equal(new Set(same).size, 1);
  });

  test("leaves no state behind for what it refuses, an INVITE neither", () => {
    const crowd = new Crowd().waiting(2_000, 20);
    assert.ok(refused(crowd.ask(100, "INVITE")) > 80);
    const heard = crowd.phone.heard.length;
    crowd.town.pass(40_000);
    assert.equal(crowd.phone.heard.length, heard);
  });
});

test("what a callee says of overload in the caller's Via never reaches the caller, however it is written", () => {
  for (const word of [";oc=100;oc-validity=60000;oc-seq=9999999999", " ; OC = 100 ; oc-seq=1.0"]) {
    told(word);
  }
});

function told(word: string): void {
  const town = new Town();
  town.server();
  const alice = new TestPhone(town, "udp:10.0.1.1:5060", "alice");
  const bob = new TestPhone(town, "udp:10.0.2.1:5060", "bob");
  bob.register(SERVER);
  bob.answer = (request) => {
    const response = bob.responseTo(request, 200);
    const vias = response.headers.all("via");
    response.headers.remove("via");
    for (const via of vias) response.headers.add("via", via + word);
    return response;
  };
  alice.send(SERVER, "MESSAGE", "sip:bob@example.com");
  town.pass(10);
  const params = topVia(alice.final("MESSAGE").headers)?.params ?? "";
  assert.equal(reportIn(params), undefined);
  assert.match(params, /;rport=5060/);
}

suite("a proxy before another server", () => {
  /** Alice calls somebody elsewhere, whose server answers so. */
  function elsewhere(report: string): { town: Town; alice: TestPhone; far: TestPhone } {
    const town = new Town();
    town.server();
    const alice = new TestPhone(town, "udp:10.0.1.1:5060", "alice");
    const far = new TestPhone(town, "udp:10.0.3.1:5060", "far");
    far.answer = (request) => {
      const response = far.responseTo(request, 200);
      const [own = "", ...others] = response.headers.all("via");
      response.headers.remove("via");
      for (const via of [own.replace(LOSS_OFFER, report), ...others].reverse()) {
        response.headers.prepend("via", via);
      }
      return response;
    };
    return { town, alice, far };
  }

  test("offers to keep requests back, and does so when told: the caller hears 500 (R52, R109)", () => {
    const { town, alice, far } = elsewhere(";oc=100;oc-validity=2000;oc-seq=1");
    const ask = (callId: string): number => {
      alice.send(SERVER, "MESSAGE", "sip:x@10.0.3.1:5060", { callId });
      town.pass(20);
      return alice.final("MESSAGE").status;
    };
    assert.equal(ask("first"), 200);
    assert.match(far.last("MESSAGE").headers.get("via") ?? "", /;oc;oc-algo="loss"$/);
    assert.equal(ask("second"), 500);
    assert.equal(far.requests.length, 1);
    town.pass(2_000);
    assert.equal(ask("third"), 200);
  });
});
