/** The server as notifier (RFC 6665) of registrations (RFC 3680). */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import {
  parseRegistrationInfo,
  type RegistrationInfo,
} from "../../../src/core/dialog/subscription-reginfo.ts";
import { subscriptionStateOf } from "../../../src/core/dialog/subscription-state.ts";
import type { Request } from "../../../src/core/message/message.ts";
import { TestPhone } from "./test-phone.ts";
import { type Host, Town, users } from "./town.ts";

const SERVER = "udp:10.0.0.1:5060";
const AOR = "sip:alice@example.com";

class Watch {
  readonly town: Town = new Town();
  readonly host: Host;
  readonly alice: TestPhone = new TestPhone(this.town, "udp:10.0.1.1:5060", "alice");

  constructor(configuration: Parameters<Town["server"]>[0] = {}) {
    this.host = this.town.server(configuration);
    this.alice.answer = () => 200;
  }

  /** A SUBSCRIBE outside of any dialog. */
  subscribe(expires: number | undefined, lines: string[] = [], uri = AOR, event = "reg"): number {
    const expiring = expires === undefined ? [] : [`Expires: ${expires}`];
    this.alice.send(SERVER, "SUBSCRIBE", uri, {
      callId: `sub-${this.town.now}`,
      lines: [`Event: ${event}`, ...expiring, ...lines],
    });
    this.town.pass(20);
    return this.alice.final("SUBSCRIBE").status;
  }

  /** A SUBSCRIBE in the dialog made last. */
  refresh(expires: number, change: Partial<{ to: string; event: string }> = {}): number {
    const accepted = this.alice.responses.findLast(
      ({ status, headers }) => status === 200 && headers.get("cseq")?.endsWith("SUBSCRIBE"),
    );
    const { headers } = accepted as { headers: Request["headers"] };
    this.alice.send(SERVER, "SUBSCRIBE", (headers.get("contact") ?? "").slice(1, -1), {
      callId: headers.get("call-id") as string,
      to: change.to ?? (headers.get("to") as string),
      lines: [`Event: ${change.event ?? "reg"}`, `Expires: ${expires}`],
    });
    this.town.pass(20);
    return this.alice.final("SUBSCRIBE").status;
  }

  /** What the NOTIFYs so far say: `0 full active: registered`, state of subscription in brackets if it is not active. */
  get told(): string[] {
    return this.notifies.map((request) => {
      const state = subscriptionStateOf(request.headers);
      const info = parseRegistrationInfo(request.body) as RegistrationInfo | undefined;
      const ending = state?.phase === "active" ? "" : ` [${state?.phase} ${state?.reason}]`;
      if (info === undefined) return `nothing${ending}`;
      const contacts = info.contacts.map(({ state: is, event, retryAfter }) =>
        [is, event, retryAfter].filter((part) => part !== undefined).join(" "),
      );
      return `${info.version} ${info.full ? "full" : "partial"}: ${contacts.join(", ")}${ending}`;
    });
  }

  get notifies(): Request[] {
    return this.alice.requests.filter(({ method }) => method === "NOTIFY");
  }

  recall(
    ...[event, retryAfterSeconds]: [event: "deactivated" | "probation" | "rejected", number?]
  ): void {
    const wait = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
    this.host.run((now) =>
      this.host.server.removeBindings(now, "alice", () => undefined, { event, ...wait }),
    );
    this.town.pass(20);
  }
}

suite("SUBSCRIBE", () => {
  test("is accepted with what was granted, and a NOTIFY of the whole state follows at once (R112, R83)", () => {
    const watch = new Watch();
    watch.alice.register(SERVER);
    assert.equal(watch.subscribe(600), 200);
    assert.equal(watch.alice.final("SUBSCRIBE").headers.get("expires"), "600");
    assert.deepEqual(watch.told, ["0 full: active registered"]);
    const notify = watch.alice.last("NOTIFY");
    assert.equal(notify.headers.get("event"), "reg");
    assert.equal(notify.headers.get("content-type"), "application/reginfo+xml");
    assert.match(notify.headers.get("subscription-state") ?? "", /^active;expires=600$/);
    assert.match(notify.body, /aor="sip:alice@example\.com" id="r" state="active"/);
  });

  test("to a state that is empty brings a NOTIFY as well (R112)", () => {
    const watch = new Watch();
    watch.subscribe(undefined);
    assert.deepEqual(watch.told, ["0 full: "]);
    assert.equal(watch.alice.final("SUBSCRIBE").headers.get("expires"), "3761");
  });

  test("while the store is away brings a NOTIFY that says nothing of it, and the whole when it is asked again", () => {
    const watch = new Watch();
    watch.alice.register(SERVER);
    watch.town.store.available = false;
    watch.subscribe(600);
    assert.deepEqual(watch.told, ["nothing"]);
    watch.town.store.available = true;
    watch.refresh(600);
    assert.deepEqual(watch.told.slice(1), ["1 full: active registered"]);
  });

  test("with Expires 0 fetches the state once and leaves nothing (R112)", () => {
    const watch = new Watch();
    assert.equal(watch.subscribe(0), 200);
    assert.deepEqual(watch.told, ["0 full:  [terminated timeout]"]);
    watch.alice.register(SERVER);
    assert.equal(watch.notifies.length, 1);
  });

  test("refreshes, and the whole state comes again with the next version (R83)", () => {
    const watch = new Watch();
    watch.subscribe(600);
    watch.town.pass(500_000);
    assert.equal(watch.refresh(600), 200);
    watch.town.pass(500_000);
    assert.deepEqual(watch.told, ["0 full: ", "1 full: "]);
  });

  test("with Expires 0 in the dialog ends it with a last NOTIFY (R112)", () => {
    const watch = new Watch();
    watch.subscribe(600);
    assert.equal(watch.refresh(0), 200);
    assert.deepEqual(watch.told, ["0 full: ", "1 full:  [terminated timeout]"]);
    assert.equal(watch.refresh(600), 481);
  });

  test("in a dialog that is not known is 481, so that its sender begins anew (R114)", () => {
    const watch = new Watch();
    watch.subscribe(600);
    assert.equal(watch.refresh(600, { to: "<sip:alice@example.com>;tag=another" }), 481);
  });

  test("for another package in the dialog, or for one that is not given, is 489 with those that are (R112)", () => {
    const watch = new Watch();
    watch.subscribe(600);
    assert.equal(watch.refresh(600, { event: "presence" }), 489);
    assert.equal(watch.subscribe(600, [], AOR, "conference"), 489);
    assert.equal(
      watch.alice.final("SUBSCRIBE").headers.get("allow-events"),
      "reg, message-summary, dialog, presence",
    );
  });

  test("that is too brief is 423 with the least; one that is too long is shortened", () => {
    const watch = new Watch();
    assert.equal(watch.subscribe(5), 423);
    assert.equal(watch.alice.final("SUBSCRIBE").headers.get("min-expires"), "10");
    watch.subscribe(86_400);
    assert.equal(watch.alice.final("SUBSCRIBE").headers.get("expires"), "7200");
  });

  test("for bodies that are not given is 406, for another user's registration 403", () => {
    const watch = new Watch();
    assert.equal(watch.subscribe(600, ["Accept: text/plain"]), 406);
    assert.equal(watch.subscribe(600, [], "sip:bob@example.com"), 403);
    assert.equal(watch.notifies.length, 0);
  });

  test("says what bodies it understands by type, by family or at all, and with q=0 what it does not (RFC 3261 §20.1)", () => {
    for (const [accept, status] of [
      ["text/plain, Application/RegInfo+XML;level=1", 200],
      ["application/*", 200],
      ["*/*;q=0.1", 200],
      ["application/reginfo+xml-not", 406],
      ["audio/*", 406],
      ["*/*, application/reginfo+xml;q=0.0", 406],
    ] as const) {
      assert.equal(new Watch().subscribe(600, [`Accept: ${accept}`]), status, accept);
    }
  });

  test("needs a password where there are passwords, and a user that exists", () => {
    const watch = new Watch({ users: users("alice: secret\n") });
    assert.equal(watch.subscribe(600), 407);
    assert.equal(watch.notifies.length, 0);
  });

  test("is 489 at a fallback server, which gives no events (V1)", () => {
    const watch = new Watch({ role: "fallback" });
    assert.equal(watch.subscribe(600), 489);
    assert.equal(watch.alice.final("SUBSCRIBE").headers.get("allow-events"), "");
  });

  test("repeats its Event with the id in every NOTIFY", () => {
    const watch = new Watch();
    watch.subscribe(600, [], AOR, "reg;id=7");
    assert.equal(watch.alice.last("NOTIFY").headers.get("event"), "reg;id=7");
  });

  test("that has come by another way already is 482 and makes no second subscription (R8)", () => {
    const watch = new Watch();
    for (const branch of ["z9hG4bKone", "z9hG4bKtwo"]) {
      const lines = ["Event: reg"];
      watch.alice.send(SERVER, "SUBSCRIBE", AOR, { callId: "same", cseq: 1, branch, lines });
    }
    watch.town.pass(20);
    assert.deepEqual(watch.alice.heard.sort(), ["200 SUBSCRIBE", "482 SUBSCRIBE", "NOTIFY"]);
  });

  test("is refused 403 when a user is watched a hundred times", () => {
    const watch = new Watch();
    for (let count = 0; count < 100; count += 1) assert.equal(watch.subscribe(600), 200);
    assert.equal(watch.subscribe(600), 403);
  });
});

suite("a subscriber", () => {
  test("hears what changes, in partial documents with versions that rise by one (R83)", () => {
    const watch = new Watch();
    watch.subscribe(600);
    watch.alice.register(SERVER);
    watch.town.pass(100);
    watch.alice.register(SERVER, ["Expires: 0"]);
    watch.town.pass(100);
    assert.deepEqual(watch.told, [
      "0 full: ",
      "1 partial: active registered",
      "2 partial: terminated unregistered",
    ]);
    assert.match(watch.notifies[2]?.body ?? "", /id="r" state="terminated"/);
  });

  test("hears of a binding that ran out (R83)", () => {
    const watch = new Watch();
    watch.alice.register(SERVER, ["Expires: 60"]);
    watch.subscribe(600);
    watch.town.pass(65_000);
    assert.deepEqual(watch.told, ["0 full: active registered", "1 partial: terminated expired"]);
  });

  test("hears of one that ran out though this server has restarted since it was made (R83)", () => {
    const watch = new Watch({ shared: true });
    watch.alice.register(SERVER, ["Expires: 60"]);
    watch.host.kill();
    watch.town.server({ shared: true });
    for (let round = 0; round < 3; round += 1) watch.subscribe(600);
    const first = watch.told.length;
    watch.town.pass(65_000);
    const after = watch.told.slice(first);
    assert.deepEqual(after, Array(3).fill("1 partial: terminated expired"));
    assert.equal(watch.town.eventsNamed("binding.expired").length, 1);
  });

  test("hears nothing of mere renewals", () => {
    const watch = new Watch();
    watch.alice.register(SERVER);
    watch.subscribe(600);
    for (let round = 0; round < 5; round += 1) watch.alice.register(SERVER);
    assert.equal(watch.notifies.length, 1);
  });

  for (const [event, seconds, told] of [
    ["deactivated", undefined, "1 partial: terminated deactivated"],
    ["probation", 90, "1 partial: terminated probation 90"],
    ["rejected", undefined, "1 partial: terminated rejected"],
  ] as const) {
    test(`hears an operator's "${event}" (R84)`, () => {
      const watch = new Watch();
      watch.alice.register(SERVER);
      watch.subscribe(600);
      watch.recall(event, seconds);
      assert.equal(watch.told.at(-1), told);
      assert.equal(watch.town.eventsNamed("binding.removed").length, 1);
    });
  }

  test("who has not answered yet hears what happened meanwhile in one NOTIFY, the latest of each contact", () => {
    const watch = new Watch();
    watch.alice.answer = ({ method }) => (method === "NOTIFY" ? undefined : 200);
    watch.subscribe(600);
    for (const lines of [[], ["Expires: 0"], []]) watch.alice.register(SERVER, lines);
    assert.deepEqual(watch.told, ["0 full: "]);
    watch.alice.answer = () => 200;
    watch.alice.reply(watch.alice.responseTo(watch.alice.last("NOTIFY"), 200), SERVER);
    watch.town.pass(100);
    assert.deepEqual(watch.told, ["0 full: ", "1 partial: active registered"]);
  });

  test("is told so when the time is over, and nothing after that (R113)", () => {
    const watch = new Watch();
    watch.subscribe(600);
    watch.town.pass(601_000);
    assert.deepEqual(watch.told, ["0 full: ", "nothing [terminated timeout]"]);
    watch.alice.register(SERVER);
    assert.equal(watch.notifies.length, 2);
  });

  for (const [what, status] of [
    ["says 481 to a NOTIFY", 481],
    ["says 489", 489],
    ["does not answer for 32 s", undefined],
  ] as const) {
    test(`who ${what} is forgotten (R114)`, () => {
      const watch = new Watch();
      watch.alice.answer = ({ method }) => (method === "NOTIFY" ? status : 200);
      watch.subscribe(600);
      watch.town.pass(33_000);
      const heard = watch.notifies.length;
      watch.alice.answer = () => 200;
      watch.alice.register(SERVER);
      assert.equal(watch.notifies.length, heard);
      assert.equal(watch.refresh(600), 481);
    });
  }

  test("who is too busy for one NOTIFY gets the next", () => {
    const watch = new Watch();
    watch.alice.answer = ({ method }) => (method === "NOTIFY" ? 503 : 200);
    watch.subscribe(600);
    watch.alice.answer = () => 200;
    watch.alice.register(SERVER);
    assert.equal(watch.told.length, 2);
  });

  test("is sent away when the server stops, to subscribe at another one at once (R113)", () => {
    const watch = new Watch();
    watch.subscribe(600);
    watch.host.run((now) => watch.host.server.stop(now));
    watch.town.pass(100);
    assert.deepEqual(watch.told, ["0 full: ", "nothing [terminated deactivated]"]);
    assert.equal(watch.town.eventsNamed("server.stopped").length, 1);
  });

  test("behind a connection is notified over it, and forgotten with it", () => {
    const town = new Town();
    const listen = [{ transport: "tcp", address: "10.0.0.1", port: 5060 } as const];
    town.server({ listen });
    const phone = new TestPhone(town, "tcp:10.0.1.1:41000", "alice");
    phone.answer = () => 200;
    const server = "tcp:10.0.0.1:5060";
    phone.send(server, "SUBSCRIBE", AOR, { callId: "sub", lines: ["Event: reg"] });
    town.pass(20);
    assert.match(phone.last("NOTIFY").headers.get("contact") ?? "", /;transport=tcp>$/);
    town.places.get(server)?.parted?.(server, "tcp:10.0.1.1:41000");
    town.pass(20);
    const other = new TestPhone(town, "tcp:10.0.1.2:41000", "alice");
    other.register(server);
    assert.equal(phone.requests.length, 1);
  });
});
