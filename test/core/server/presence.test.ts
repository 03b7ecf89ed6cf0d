/** Presence: published (RFC 3903), derived from registrations and calls, told to watchers (RFC 3856, RFC 3863). */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Response } from "../../../src/core/message/message.ts";
import { MAX_PUBLICATIONS } from "../../../src/core/server/limits.ts";
import { answerTo } from "./digest-answer.ts";
import { type Sending, TestPhone } from "./test-phone.ts";
import { type Host, Town, users } from "./town.ts";

const SERVER = "udp:10.0.0.1:5060";
const ALICE = "sip:alice@example.com";
const SECOND = { transport: "udp", address: "10.0.0.2", port: 5060 } as const;
const TYPE = "Content-Type: application/pidf+xml";

/** Alice publishes, bob watches her. */
class Square {
  readonly town: Town = new Town();
  readonly host: Host;
  readonly alice: TestPhone = new TestPhone(this.town, "udp:10.0.1.1:5060", "alice");
  readonly bob: TestPhone = new TestPhone(this.town, "udp:10.0.1.2:5060", "bob");

  constructor(configuration: Parameters<Town["server"]>[0] = {}) {
    this.host = this.town.server(configuration);
    this.bob.answer = () => 200;
  }

  watch(at = SERVER, lines: readonly string[] = []): void {
    this.bob.send(at, "SUBSCRIBE", ALICE, {
      callId: `sub-${this.town.now}`,
      lines: ["Event: presence", "Accept: application/pidf+xml", ...lines],
    });
    this.town.pass(20);
  }

  publish(
    body: string,
    lines: readonly string[] = [],
    sending: Sending = {},
    at = SERVER,
  ): Response {
    this.alice.send(at, "PUBLISH", ALICE, {
      callId: "pub",
      body,
      lines: ["Event: presence", ...(body === "" ? [] : [TYPE]), ...lines],
      ...sending,
    });
    this.town.pass(20);
    return this.alice.final("PUBLISH");
  }

  /** What bob was told: `open`, `closed away`, … */
  get told(): string[] {
    return this.bob.requests.map(({ body }) => {
      const basic = [...body.matchAll(/<basic>(\w+)</g)].map(([, state]) => state);
      const activities = [...body.matchAll(/<rpid:([\w-]+)\/>/g)].map(([, name]) => name);
      const notes = [...body.matchAll(/<note>([^<]*)</g)].map(([, note]) => `"${note}"`);
      return [...basic, ...activities, ...notes].join(" ");
    });
  }
}

function pidf(basic: string, id = "t1", more = ""): string {
  return `<?xml version="1.0"?>
<p:presence xmlns:p="urn:ietf:params:xml:ns:pidf" entity="${ALICE}">
<p:tuple id="${id}"><p:status><p:basic>${basic}</p:basic></p:status></p:tuple>${more}</p:presence>`;
}

function doing(activity: string): string {
  return `<x:person xmlns:x="urn:ietf:params:xml:ns:pidf:data-model" id="p1"><r:activities
xmlns:r="urn:ietf:params:xml:ns:pidf:rpid"><r:${activity}/></r:activities></x:person>`;
}

function tagOf(response: Response): string {
  assert.equal(response.status, 200);
  return response.headers.get("sip-etag") ?? "";
}

suite("PUBLISH", () => {
  test("is accepted with an entity-tag and told to watchers, who knew the registration before (RFC 3903 §6)", () => {
    const square = new Square();
    square.alice.register(SERVER);
    square.watch();
    const response = square.publish(pidf("closed", "t1", doing("away")), ["Expires: 600"]);
    assert.match(tagOf(response), /^\S{8,}$/);
    assert.equal(response.headers.get("expires"), "600");
    assert.deepEqual(square.told, ["open", "closed away"]);
    assert.equal(square.bob.last("NOTIFY").headers.get("content-type"), "application/pidf+xml");
    assert.match(square.bob.last("NOTIFY").body, /entity="sip:alice@example\.com"/);
  });

  test("with SIP-If-Match modifies, refreshes and removes, each under a new entity-tag (RFC 3903 §4)", () => {
    const square = new Square();
    square.watch();
    const first = tagOf(square.publish(pidf("open")));
    const second = tagOf(square.publish(pidf("closed"), [`SIP-If-Match: ${first}`]));
    const third = tagOf(square.publish("", [`SIP-If-Match: ${second}`, "Expires: 600"]));
    assert.equal(new Set([first, second, third]).size, 3);
    assert.deepEqual(square.told, ["closed", "open", "closed"]);
    square.alice.register(SERVER);
    assert.equal(square.publish("", [`SIP-If-Match: ${third}`, "Expires: 0"]).status, 200);
    assert.equal(square.publish("", [`SIP-If-Match: ${third}`]).status, 412);
    assert.equal(square.told.at(-1), "open");
    assert.deepEqual(
      square.town.events
        .filter(({ event }) => event.startsWith("publication"))
        .map((one) => one.event),
      ["publication.accepted", "publication.accepted", "publication.removed"],
    );
  });

  test("runs out when it is not refreshed, and its watchers are told (RFC 3903 §6)", () => {
    const square = new Square();
    square.watch();
    const tag = tagOf(square.publish(pidf("open"), ["Expires: 60"]));
    square.town.pass(50_000);
    square.publish("", [`SIP-If-Match: ${tag}`, "Expires: 60"]);
    square.town.pass(50_000);
    assert.deepEqual(square.told, ["closed", "open"]);
    square.town.pass(20_000);
    assert.deepEqual(square.told, ["closed", "open", "closed"]);
  });

  test("of one device runs out beside that of another, which goes on", () => {
    const square = new Square();
    square.watch();
    square.publish(pidf("open", "short"), ["Expires: 60"]);
    square.publish(pidf("closed", "long"), ["Expires: 600"]);
    square.town.pass(70_000);
    assert.deepEqual(square.told, ["closed", "open", "open closed", "closed"]);
  });

  test("with Expires 0 and no entity-tag is accepted and leaves nothing", () => {
    const square = new Square();
    square.watch();
    assert.equal(square.publish(pidf("open"), ["Expires: 0"]).status, 200);
    square.watch();
    assert.equal(square.told.at(-1), "closed");
  });

  test("of several devices is put together, names of tuples made different (RFC 3863 §4.1.2)", () => {
    const square = new Square();
    square.publish(pidf("open", "t1", "<note>at my desk</note>"));
    square.publish(pidf("closed", "t1", doing("meeting")));
    square.watch();
    assert.deepEqual(square.told, ['open closed meeting "at my desk"']);
    const ids = [...square.bob.last("NOTIFY").body.matchAll(/<tuple id="([^"]*)"/g)];
    assert.deepEqual(
      ids.map(([, id]) => id),
      ["t1", "t1-2"],
    );
  });

  test("a ninth device takes the place of the publication that would end first", () => {
    const square = new Square();
    const first = tagOf(square.publish(pidf("open", "d0"), ["Expires: 60"]));
    for (let device = 1; device <= MAX_PUBLICATIONS; device += 1) {
      square.publish(pidf("open", `d${device}`), ["Expires: 600"]);
    }
    square.watch();
    assert.equal(square.told[0], Array(MAX_PUBLICATIONS).fill("open").join(" "));
    assert.equal(square.publish("", [`SIP-If-Match: ${first}`]).status, 412);
  });

  const refusals: readonly [
    why: string,
    status: number,
    body: string,
    lines: string[],
    Sending?,
  ][] = [
    ["another's presence", 403, pidf("open"), [], { from: "<sip:bob@example.com>;tag=1" }],
    ["a user of another domain", 403, pidf("open"), [], { from: "<sip:alice@else.org>;tag=1" }],
    ["a dialog", 403, pidf("open"), [], { to: `<${ALICE}>;tag=2` }],
    ["an entity-tag that is not known", 412, "", ["SIP-If-Match: nobody"]],
    ["no body and no entity-tag", 400, "", []],
    ["a lifetime that is too brief", 423, pidf("open"), ["Expires: 5"]],
    ["XML that does not close", 400, "<presence><tuple>", []],
    ["a document of another kind", 400, "<reginfo/>", []],
    ["a body that is compressed", 415, pidf("open"), ["Content-Encoding: gzip"]],
    ["two entity-tags", 400, "", ["SIP-If-Match: a", "SIP-If-Match: b"]],
  ];
  for (const [why, status, body, lines, sending] of refusals) {
    test(`is refused with ${status} for ${why}, and nothing is kept`, () => {
      const square = new Square();
      assert.equal(square.publish(body, lines, sending).status, status);
      square.watch();
      assert.deepEqual(square.told, ["closed"]);
    });
  }

  test("of another type is 415 with the one that is taken, of another package 489 (RFC 3903 §6)", () => {
    const square = new Square();
    square.alice.send(SERVER, "PUBLISH", ALICE, {
      body: "x",
      lines: ["Event: presence", "Content-Type: text/plain"],
    });
    square.town.pass(20);
    assert.equal(square.alice.final("PUBLISH").status, 415);
    assert.equal(square.alice.final("PUBLISH").headers.get("accept"), "application/pidf+xml");
    for (const event of ["dialog", "message-summary", ""]) {
      square.alice.send(SERVER, "PUBLISH", ALICE, { body: "x", lines: [`Event: ${event}`] });
      square.town.pass(20);
      assert.equal(square.alice.final("PUBLISH").status, 489);
    }
  });

  test("needs the password of the user it speaks for; who is nobody's name is 404", () => {
    const square = new Square({ users: users("alice: wonder\nbob: builder\n") });
    const challenge = square.publish(pidf("open"));
    assert.equal(challenge.status, 407);
    const wrong = answerTo(challenge, "PUBLISH", ALICE, { user: "bob", password: "builder" });
    assert.equal(square.publish(pidf("open"), [wrong]).status, 403);
    const right = answerTo(square.publish(pidf("open")), "PUBLISH", ALICE, {});
    assert.equal(square.publish(pidf("open"), [right]).status, 200);
    const nobody = "sip:nobody@example.com";
    const line = answerTo(square.publish(pidf("open")), "PUBLISH", nobody, {});
    square.alice.send(SERVER, "PUBLISH", nobody, {
      body: pidf("open"),
      lines: ["Event: presence", TYPE, line],
    });
    square.town.pass(20);
    assert.equal(square.alice.final("PUBLISH").status, 404);
  });

  test("a store that is away is 503, and of what is not known the watcher is told nothing", () => {
    const square = new Square();
    square.alice.register(SERVER);
    square.town.store.available = false;
    assert.equal(square.publish(pidf("open")).status, 503);
    square.watch();
    const notify = square.bob.last("NOTIFY");
    assert.equal(notify.body, "");
    assert.equal(notify.headers.get("content-type"), undefined);
    square.town.store.available = true;
    assert.equal(square.publish(pidf("open")).status, 200);
    assert.deepEqual(square.told, ["", "open"]);
  });

  test("a publication is refreshed at the other node of a system, which tells it to its own watchers", () => {
    const square = new Square({ shared: true });
    square.town.server({ name: "two", listen: [SECOND], shared: true });
    const tag = tagOf(square.publish(pidf("open")));
    square.watch("udp:10.0.0.2:5060");
    const moved = square.publish(pidf("closed"), [`SIP-If-Match: ${tag}`], {}, "udp:10.0.0.2:5060");
    assert.equal(moved.status, 200);
    assert.deepEqual(square.told, ["open", "closed"]);
  });
});

suite("presence that nobody publishes", () => {
  test("is open while the user is registered, and renewals are no news", () => {
    const square = new Square();
    square.watch();
    square.alice.register(SERVER, ["Expires: 60"]);
    square.alice.register(SERVER, ["Expires: 60"]);
    square.town.pass(70_000);
    assert.deepEqual(square.told, ["closed", "open", "closed"]);
  });

  test("is closed in time though this server has restarted since the user registered", () => {
    const square = new Square({ shared: true });
    square.alice.register(SERVER, ["Expires: 60"]);
    square.host.kill();
    square.town.server({ shared: true });
    square.watch();
    square.town.pass(70_000);
    assert.deepEqual(square.told, ["open", "closed"]);
  });

  test("shows a call from its answer to its end (RFC 4480 §3.2)", () => {
    const square = new Square();
    square.alice.register(SERVER);
    square.watch();
    const carol = new TestPhone(square.town, "udp:10.0.1.3:5060", "carol");
    square.alice.answer = ({ method }) => (method === "INVITE" ? 180 : 200);
    carol.send(SERVER, "INVITE", ALICE, { callId: "the-call" });
    square.town.pass(20);
    square.alice.reply(square.alice.responseTo(square.alice.last("INVITE"), 200), SERVER);
    square.town.pass(20);
    carol.sendInDialog(SERVER, "BYE", carol.final("INVITE"));
    square.town.pass(20);
    assert.deepEqual(square.told, ["open", "open on-the-phone", "open"]);
  });

  test("a fallback server gives none and takes none: 489 without a package (V1)", () => {
    const square = new Square({ role: "fallback" });
    assert.equal(square.publish(pidf("open")).status, 489);
    assert.equal(square.alice.final("PUBLISH").headers.get("allow-events"), "");
    square.watch();
    assert.equal(square.bob.final("SUBSCRIBE").status, 489);
  });
});
