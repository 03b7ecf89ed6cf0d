/** The phone's own presence, published (RFC 3903), and that of others, watched (RFC 3856): both go where it registers. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { parsePresence } from "../../../src/core/dialog/subscription-presence.ts";
import { PASS, type Verdict } from "../../../src/core/network-rules.ts";
import { defaultServer } from "../../../src/core/redundancy/policy-defaults.ts";
import type { PlaceName } from "../redundancy/rehearsal.ts";
import { NAMED, ONE, QUICK, stageOf } from "./subscribing-account.ts";
import type { SubscriptionStage } from "./subscription-notifier.ts";

const PUBLISHING = { publishPresence: true };

/** Each PUBLISH a server took in: `new open`, `change open on-the-phone`, `refresh`, `remove`. */
function published(stage: SubscriptionStage, name: PlaceName): string[] {
  return stage.asked(name, "PUBLISH").map(({ body, headers }) => {
    const known = headers.get("sip-if-match") !== undefined;
    if (headers.get("expires") === "0") return "remove";
    if (body === "") return "refresh";
    const { activities = [], tuples = [] } = parsePresence(body) ?? {};
    return [known ? "change" : "new", tuples[0]?.basic, ...activities].join(" ");
  });
}

/** What a server holds of the phone's presence. */
function standing(stage: SubscriptionStage, name: PlaceName): number {
  return stage.notifier(name).publications.size;
}

suite("publishing", () => {
  test("one PUBLISH where the account is registered, refreshed without a body at half its lifetime (RFC 3903 §4)", () => {
    const stage = stageOf([ONE], PUBLISHING).start().until(2000);
    assert.deepEqual(published(stage, "primary"), ["new open", "refresh"]);
    const [first, second] = stage.asked("primary", "PUBLISH");
    assert.equal(first?.uri, "sip:2001@pbx.example.com");
    assert.equal(first?.headers.get("event"), "presence");
    assert.equal(first?.headers.get("content-type"), "application/pidf+xml");
    assert.equal(second?.headers.has("content-type"), false);
    assert.equal(standing(stage, "primary"), 1);
    assert.deepEqual(stage.told("publication.accepted", "server", "expires"), [
      [1, 3600],
      [1, 3600],
    ]);
  });

  test("nothing is published unless it is asked for", () => {
    const stage = stageOf([ONE], {}).start().until(100);
    assert.deepEqual(published(stage, "primary"), []);
  });

  test("an answered call is told, and its end (RFC 4480)", () => {
    const stage = stageOf([ONE], PUBLISHING).start().until(10);
    stage.rehearsal.do((now) => {
      stage.rehearsal.phone.talks(now, true);
    });
    stage.until(20);
    stage.rehearsal.do((now) => stage.rehearsal.phone.talks(now, false));
    stage.until(30);
    const told = ["new open", "change open on-the-phone", "change open"];
    assert.deepEqual(published(stage, "primary"), told);
    assert.equal(standing(stage, "primary"), 1);
  });

  test("servers that are one system take the entity-tag along, there and back (C26)", () => {
    const stage = stageOf([NAMED], PUBLISHING);
    stage.notifier("secondary").publications = stage.notifier("primary").publications;
    stage.start().until(10);
    stage.rehearsal.cut("primary");
    stage.until(560);
    assert.deepEqual(published(stage, "secondary"), ["change open"]);
    stage.heal("primary").until(700);
    assert.deepEqual(published(stage, "primary"), ["new open", "change open"]);
    assert.equal(standing(stage, "primary"), 1);
  });

  test("at a server that knows nothing of it, 412 leads to a new one; on the return none is left over (C29)", () => {
    const stage = stageOf([NAMED], PUBLISHING).start().until(10);
    stage.rehearsal.cut("primary");
    stage.until(560);
    assert.deepEqual(published(stage, "secondary"), ["change open", "new open"]);
    assert.deepEqual([standing(stage, "primary"), standing(stage, "secondary")], [1, 1]);
    stage.heal("primary").until(700);
    assert.deepEqual(published(stage, "primary").slice(1), ["change open", "change open"]);
    assert.deepEqual(published(stage, "secondary").slice(2), ["remove"]);
    assert.deepEqual([standing(stage, "primary"), standing(stage, "secondary")], [1, 0]);
  });

  test("a basic fallback hears nothing of it, and the working server keeps one publication (V1)", () => {
    const basic = defaultServer("192.0.2.15", { ...QUICK, features: "basic" });
    const stage = stageOf([ONE, basic], PUBLISHING).start().until(10);
    stage.rehearsal.cut("primary");
    stage.until(700);
    assert.deepEqual(stage.asked("fallback", "PUBLISH"), []);
    assert.deepEqual(stage.told("publication.moved", "server", "limited"), [[2, true]]);
    stage.heal("primary").until(1000);
    assert.deepEqual(published(stage, "primary"), ["new open", "change open"]);
    assert.equal(standing(stage, "primary"), 1);
  });

  test("a server that lost it gets it whole again (412)", () => {
    const stage = stageOf([ONE], PUBLISHING).start().until(10);
    stage.notifier("primary").publications.clear();
    stage.until(2000);
    assert.deepEqual(published(stage, "primary"), ["new open", "refresh", "new open"]);
    assert.equal(standing(stage, "primary"), 1);
  });

  test("423 is met by the least, twice at most; 489 ends it; 500 is tried again after the wait", () => {
    const brief = stageOf([ONE], PUBLISHING);
    brief.notifier("primary").habit = ({ headers }) =>
      Number(headers.get("expires")) < 7200
        ? { status: 423, headers: { "min-expires": "7200" } }
        : undefined;
    brief.start().until(100);
    assert.equal(standing(brief, "primary"), 1);
    const unknown = stageOf([ONE], PUBLISHING);
    unknown.notifier("primary").habit = () => ({ status: 489 });
    unknown.start().until(5000);
    assert.equal(published(unknown, "primary").length, 1);
    assert.deepEqual(unknown.told("publication.refused", "why"), [["489"]]);
    const ill = stageOf([ONE], PUBLISHING);
    let asked = 0;
    ill.notifier("primary").habit = () => (asked++ === 0 ? { status: 500 } : undefined);
    ill.start().until(29);
    assert.deepEqual(published(ill, "primary"), ["new open"]);
    ill.until(40);
    assert.deepEqual(published(ill, "primary"), ["new open", "new open"]);
  });

  test("a phone that stops removes it", () => {
    const stage = stageOf([ONE], PUBLISHING).start().until(10);
    stage.rehearsal.do((now) => stage.rehearsal.phone.stop(now));
    stage.until(20);
    assert.deepEqual(published(stage, "primary"), ["new open", "remove"]);
    assert.equal(standing(stage, "primary"), 0);
  });

  test("one that stops while a PUBLISH is on its way removes what its 200 names", () => {
    for (const first of [true, false]) {
      const stage = stageOf([ONE], PUBLISHING);
      const { phone, simulation } = stage.rehearsal;
      const slow = (): void => {
        const late: Verdict = { kind: "delay", ms: 300 };
        simulation.network.fault("slow", (_now, { from }) => (from === "192.0.2.13" ? late : PASS));
      };
      stage.notifier("primary").habit = () => {
        if (first) slow();
        return undefined;
      };
      stage.start();
      if (!first) {
        stage.until(10);
        slow();
        stage.rehearsal.do((now) => phone.talks(now, true));
      }
      stage.until(first ? 0.2 : 10.2);
      assert.equal(standing(stage, "primary"), 1);
      stage.rehearsal.do((now) => phone.stop(now));
      stage.until(30);
      assert.equal(standing(stage, "primary"), 0);
      assert.equal(phone.atRest, true);
    }
  });

  test("it is at rest when the removal was answered, or will not be", () => {
    const stage = stageOf([ONE], PUBLISHING).start().until(10);
    const { phone } = stage.rehearsal;
    stage.notifier("primary").habit = () => "silence";
    stage.rehearsal.do((now) => phone.stop(now));
    stage.until(10.2);
    assert.equal(phone.atRest, false);
    stage.until(60);
    assert.equal(phone.atRest, true);
  });
});

suite("watching", () => {
  const WATCHER = { presenceOf: ["2002", "2003", "2002"], watchExpiresSeconds: 1200 };

  function presence(basic: string, activity = ""): string {
    const doing = activity === "" ? "" : `<person><activities><${activity}/></activities></person>`;
    return `<presence><tuple id="t"><status><basic>${basic}</basic></status></tuple>${doing}</presence>`;
  }

  function told(stage: SubscriptionStage): string[] {
    return stage
      .told("presence.changed", "of", "state", "activity")
      .map((fields) => fields.filter((field) => field !== undefined).join(" "));
  }

  test("each contact once, with the lifetime of watching (RFC 3856 §6)", () => {
    const stage = stageOf([ONE], WATCHER).start();
    assert.deepEqual(
      stage
        .asked("primary")
        .map(({ uri, headers }) => [
          uri,
          headers.get("event"),
          headers.get("accept"),
          headers.get("expires"),
        ]),
      ["2002", "2003"].map((user) => [
        `sip:${user}@pbx.example.com`,
        "presence",
        "application/pidf+xml",
        "1200",
      ]),
    );
  });

  test("what is told is told once; what is no presence document is refused", () => {
    const stage = stageOf([ONE], { presenceOf: ["2002"] });
    stage.notifier("primary").states.presence = presence("open");
    stage.start();
    for (const body of [presence("open"), presence("open", "on-the-phone"), presence("closed")]) {
      stage.tell("primary", { body });
    }
    stage
      .tell("primary", { body: "<presence>" })
      .tell("primary", { body: "x", type: "text/plain" });
    assert.deepEqual(stage.notifier("primary").answers.slice(-2), [400, 415]);
    assert.deepEqual(told(stage), ["2002 open", "2002 open on-the-phone", "2002 closed"]);
  });

  test("a change that was missed at the secondary is known on the return, and nothing is left there (C26)", () => {
    const stage = stageOf([NAMED], { presenceOf: ["2002"] });
    stage.notifier("primary").states.presence = presence("open", "meeting");
    stage.notifier("secondary").states.presence = presence("open", "meeting");
    stage.start().until(10);
    stage.rehearsal.cut("primary");
    stage.until(560);
    assert.equal(stage.held("secondary").length, 1);
    stage.notifier("primary").states.presence = presence("closed");
    stage.heal("primary").until(700);
    assert.deepEqual([stage.held("primary").length, stage.held("secondary").length], [1, 0]);
    assert.deepEqual(told(stage), ["2002 open meeting", "2002 closed"]);
  });
});
