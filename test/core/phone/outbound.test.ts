/** A phone and its flows: RFC 5626 §4, RFC 6223, RFC 3608. Times are seconds. */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DROP, PASS } from "../../../src/core/network-rules.ts";
import type { RedundancyPolicy } from "../../../src/core/redundancy/policy.ts";
import {
  defaultAccount,
  defaultPolicy,
  defaultServer,
} from "../../../src/core/redundancy/policy-defaults.ts";
import { type PlaceName, Rehearsal } from "../redundancy/rehearsal.ts";
import { says } from "../redundancy/scripted-server.ts";
import { calm, FALLBACK } from "../redundancy/stages.ts";
import { grants, last, type Policy, PRIMARY, phone, regIds, TCP } from "./flows.ts";

const INSTANCE = '+sip.instance="<urn:uuid:00000000-0000-4000-8000-000000000000>"';

suite("what a REGISTER asks for", () => {
  test("over a connection: this instance, this flow, outbound and Path, and to be asked for life (R88, R89, R102)", () => {
    const { headers } = last(phone().start(), "primary", "REGISTER");
    assert.equal(
      headers.get("contact"),
      `<sip:2001@192.0.2.100:5060;transport=tcp>;${INSTANCE};reg-id=1`,
    );
    assert.equal(headers.get("supported"), "path, outbound");
    assert.match(headers.get("via") ?? "", /;keep$/);
  });

  test("over datagrams only where that is wanted, and nowhere where it is not", () => {
    const asked = (transport: "tcp" | "udp", outbound: RedundancyPolicy["outbound"]) => {
      const server = defaultServer(PRIMARY, { transport, port: 5060 });
      const redundancy = { ...defaultPolicy(server), ...calm({ outbound }) };
      const stage = new Rehearsal([defaultAccount("2001", redundancy)]).start();
      const { headers } = last(stage, "primary", "REGISTER");
      const parts = [headers.get("contact"), headers.get("supported"), headers.get("via")];
      return (
        /reg-id/.test(parts.join()) && /outbound/.test(parts.join()) && /keep/.test(parts.join())
      );
    };
    assert.equal(asked("udp", "streams"), false);
    assert.equal(asked("udp", "always"), true);
    assert.equal(asked("tcp", "never"), false);
  });

  test("at two servers at once: two flows, each with its number, the same after a restart (R89, R90)", () => {
    for (let start = 0; start < 2; start += 1) {
      const stage = phone({}, {}, [PRIMARY, FALLBACK]).start();
      assert.deepEqual([regIds(stage, "primary"), regIds(stage, "fallback")], [["1"], ["2"]]);
    }
  });

  test("that removes a binding names the flow, so that no other is removed (R98)", () => {
    const stage = phone({}, {}, [PRIMARY, FALLBACK]).start().until(5);
    stage.do((now) => stage.phone.stop(now));
    const { headers } = last(stage, "fallback", "REGISTER");
    assert.equal(headers.get("expires"), "0");
    assert.deepEqual(regIds(stage, "fallback"), ["2", "2"]);
  });
});

suite("what is granted", () => {
  test("is read from the contact with our reg-id: the phone's other flow may bear the same URI (R100)", () => {
    const stage = phone({}, { events: ["registration.accepted"], methods: [] });
    stage.server("primary").habits = {
      REGISTER: ({ headers }) => {
        const own = headers.get("contact") ?? "";
        const other = own.replace("reg-id=1", "reg-id=101");
        const contact = `${other};expires=30, ${own};expires=90`;
        return [{ status: 200, headers: { contact, require: "outbound" } }];
      },
    };
    stage.start().until(29);
    assert.equal(stage.server("primary").requests.length, 1);
    stage.until(31);
    assert.equal(stage.server("primary").requests.length, 2, "60 s before the end of 90");
  });

  test("nothing without Require: outbound: requests and silence are what they were (R91)", () => {
    const stage = phone().start().until(100);
    stage.do(() => stage.phone.call("9000"));
    assert.doesNotMatch(last(stage, "primary", "INVITE").headers.get("contact") ?? "", /ob/);
    assert.deepEqual(stage.server("primary").pings, [30_000, 60_000, 90_000]);
    assert.equal(stage.sent.filter(({ method }) => method === "REGISTER").length, 1);
  });

  test("a flow: dialogs are to come back over it (RFC 5626 §4.3)", () => {
    const stage = phone();
    stage.server("primary").habits = { REGISTER: grants() };
    stage.start().do(() => stage.phone.call("9000"));
    assert.equal(
      last(stage, "primary", "INVITE").headers.get("contact"),
      "<sip:2001@192.0.2.100:5060;transport=tcp;ob>",
    );
  });

  test("such a name is asked for and used without outbound, too (R85)", () => {
    const stage = phone({ gruu: true, outbound: "never" });
    const gruu = "sip:2001@pbx.example.com;gr=urn:uuid:00000000-0000-4000-8000-000000000000";
    stage.server("primary").habits = {
      REGISTER: ({ headers }) => {
        const names = `;pub-gruu="${gruu}";expires=${headers.get("expires")}`;
        return [{ status: 200, headers: { contact: `${headers.get("contact")}${names}` } }];
      },
    };
    stage.start().do(() => stage.phone.call("9000"));
    assert.equal(last(stage, "primary", "INVITE").headers.get("contact"), `<${gruu}>`);
    const { headers } = last(stage, "primary", "REGISTER");
    assert.equal(headers.get("supported"), "path, gruu");
    assert.ok(headers.get("contact")?.includes(INSTANCE));
  });

  test("a name that leads here from everywhere is the Contact of dialogs, a temporary one is not (R85)", () => {
    const stage = phone({ gruu: true });
    const gruu = "sip:2001@pbx.example.com;gr=urn:uuid:00000000-0000-4000-8000-000000000000";
    stage.server("primary").habits = {
      REGISTER: ({ headers }) => {
        const names = `;pub-gruu="${gruu}";temp-gruu="sip:tgruu.1@pbx.example.com;gr"`;
        const contact = `${headers.get("contact")}${names};expires=${headers.get("expires")}`;
        return [{ status: 200, headers: { contact, require: "outbound" } }];
      },
    };
    stage.start().do(() => stage.phone.call("9000"));
    const { headers } = last(stage, "primary", "INVITE");
    assert.equal(headers.get("contact"), `<${gruu}>`);
    const asked = last(stage, "primary", "REGISTER").headers.get("supported");
    assert.equal(asked, "path, outbound, gruu");
  });

  test('a name without "gr" is none: the address stays the Contact (R85)', () => {
    const stage = phone({ gruu: true });
    stage.server("primary").habits = {
      REGISTER: ({ headers }) => {
        const contact = `${headers.get("contact")};pub-gruu="sip:2001@evil.example";expires=60`;
        return [{ status: 200, headers: { contact, require: "outbound" } }];
      },
    };
    stage.start().do(() => stage.phone.call("9000"));
    assert.match(last(stage, "primary", "INVITE").headers.get("contact") ?? "", /;ob>$/);
  });

  test("439 is met by the same without reg-id, there and at once, and nowhere else (R92)", () => {
    const stage = phone({}, {}, [PRIMARY, FALLBACK]);
    stage.server("primary").habits = {
      REGISTER: (request) =>
        request.headers.get("contact")?.includes("reg-id") === true
          ? [{ status: 439 }]
          : stage.server("primary").yes(request),
    };
    stage.start().until(560);
    assert.deepEqual(regIds(stage, "primary"), ["1", undefined, undefined]);
    assert.deepEqual(regIds(stage, "fallback"), ["2", "2"]);
    assert.equal(last(stage, "primary", "REGISTER").headers.get("supported"), "path");
    assert.equal(stage.sent[0]?.at, stage.sent.filter(({ to }) => to === "primary")[1]?.at);
  });

  test("439 to a REGISTER without reg-id is a refusal like any other (R92)", () => {
    const stage = phone({}, { events: ["registration.failed"], methods: [] });
    stage.server("primary").habits = { REGISTER: says(439) };
    stage
      .start()
      .expect("0.0 * registration.failed server=1 target=primary why=rejected status=439");
    assert.deepEqual(regIds(stage, "primary"), ["1", undefined]);
  });
});

suite("a flow is kept alive", () => {
  const kept = (headers: Readonly<Record<string, string>>, policy: Policy = {}) => {
    const stage = phone(policy);
    stage.server("primary").habits = { REGISTER: grants(headers) };
    stage.server("primary").pongs = true;
    stage.start().until(500);
    const { pings } = stage.server("primary");
    return pings.map((at, index) => at - (pings[index - 1] ?? 0));
  };

  test("in 80 to 100 % of its Flow-Timer, never the same wait twice (R95)", () => {
    const waits = kept({ "flow-timer": "20" });
    assert.ok(waits.length >= 25, `${waits.length}`);
    for (const wait of waits) assert.ok(wait >= 16_000 && wait <= 20_000, `${wait}`);
    assert.ok(new Set(waits).size > 10);
  });

  test("as often as is configured where that is oftener, and at least each 120 s where nothing is (R95)", () => {
    for (const wait of kept({ "flow-timer": "100" })) assert.ok(wait >= 24_000 && wait <= 30_000);
    const usual = kept({}, { keepAliveMs: 0 });
    assert.ok(usual.length >= 4);
    for (const wait of usual) assert.ok(wait >= 95_000 && wait <= 120_000, `${wait}`);
  });

  test("by who asked in Via to be asked, without outbound (R102)", () => {
    const stage = phone({ keepAliveMs: 0 });
    const server = stage.server("primary");
    server.pongs = true;
    server.habits = {
      REGISTER: (request) => {
        const via = `${request.headers.get("via")}`.replace(";keep", ";keep=40");
        const [reply] = server.yes(request);
        return [{ ...reply, status: 200, headers: { ...reply?.headers, via } }];
      },
    };
    stage.start().until(100);
    assert.ok(server.pings.length >= 2);
    server.pongs = false;
    stage.until(160);
    assert.deepEqual(regIds(stage, "primary"), ["1", "1"], "it fell silent, and was left");
  });

  test("and one that falls silent is dead 10 s after a ping, and made anew under its reg-id (R94, R98)", () => {
    const stage = phone({}, { events: ["registration.interrupted"], methods: [] });
    stage.server("primary").habits = { REGISTER: grants({ "flow-timer": "20" }) };
    stage.start().until(5).cut("primary").until(60).revive("primary").until(120);
    const [first = ""] = stage.take();
    const [, at = "", what] = /^([\d.]+) (.*)$/.exec(first) ?? [];
    assert.equal(what, "* registration.interrupted server=1 target=primary why=timeout");
    assert.ok(Number(at) >= 26 && Number(at) <= 30, first);
    assert.ok(regIds(stage, "primary").length >= 2);
    assert.deepEqual(new Set(regIds(stage, "primary")), new Set(["1"]));
  });

  test("one that swallows requests is found out as a silent UDP server is, and used no more (C33)", () => {
    const lines = (["tcp", "udp"] as const).map((transport) => {
      const servers = [PRIMARY, FALLBACK].map((one) => defaultServer(one, { ...TCP, transport }));
      const redundancy = { ...defaultPolicy(...servers), ...calm({ keepAliveMs: 0 }) };
      const options = { methods: ["OPTIONS", "REGISTER"], events: ["request.failed-over"] };
      const account = defaultAccount("2001", { ...redundancy, registration: "successive" });
      const stage = new Rehearsal([account], options).start().until(530).cut("primary").until(541);
      return stage
        .until(560)
        .take()
        .filter((line) => !line.includes("↻"));
    });
    assert.deepEqual(lines[0], lines[1]);
  });

  test("one that has swallowed a request is not used for the next, though TCP holds it open (C33)", () => {
    const backoff = { kind: "fixed", intervalMs: 5000 } as const;
    const stage = phone({ keepAliveMs: 0, backoff }, {}, [PRIMARY, FALLBACK]).start().until(530);
    // As when a firewall has forgotten the first connection to the primary; a new one gets through.
    let forgotten: number | undefined;
    stage.simulation.network.fault("firewall", (_now, { from, fromPort, to, toPort }) => {
      if (to === PRIMARY) forgotten ??= fromPort;
      const lost = forgotten === (to === PRIMARY ? fromPort : from === PRIMARY ? toPort : 0);
      return lost ? DROP : PASS;
    });
    stage.until(549);
    assert.equal(stage.account.workingServer, 2);
    stage.until(553);
    assert.equal(stage.account.workingServer, 1, "12.5 s after the REGISTER that was lost");
  });
});

suite("430", () => {
  test("leads to the next server and is no error to people (R93)", () => {
    const stage = phone({}, { methods: ["INVITE"], events: ["call.refused"] }, [PRIMARY, FALLBACK]);
    stage.server("primary").habits = { INVITE: says(430) };
    stage
      .start()
      .do(() => stage.phone.call("9000"))
      .until(1)
      .expect(`
      0.0 INVITE → primary
      0.0 430 ← primary
      0.0 INVITE → fallback
      0.0 200 ← fallback
    `);
  });
});

suite("Service-Route", () => {
  const routeOf = (stage: Rehearsal, name: PlaceName) => {
    stage.do(() => stage.phone.call("9000"));
    const { headers } = last(stage, name, "INVITE");
    stage.do((now) => stage.phone.hangup(now)).until(1);
    return headers.get("route");
  };

  test("leads every request but REGISTER, as the latest 200 has it, and is gone with one that has none (R82)", () => {
    let routes = "<sip:a.example;lr>, <sip:b.example;lr>";
    const stage = phone();
    stage.server("primary").habits = {
      REGISTER: (request) => {
        const [reply] = stage.server("primary").yes(request);
        const more = routes === "" ? {} : { "service-route": routes };
        return [{ status: 200, headers: { ...reply?.headers, ...more } }];
      },
    };
    stage.start();
    assert.equal(routeOf(stage, "primary"), "<sip:a.example;lr>, <sip:b.example;lr>");
    assert.equal(last(stage, "primary", "REGISTER").headers.get("route"), undefined);
    routes = "<sip:c.example;lr>";
    stage.until(541);
    assert.equal(routeOf(stage, "primary"), "<sip:c.example;lr>");
    routes = "";
    stage.until(1100);
    assert.equal(routeOf(stage, "primary"), undefined);
  });

  test("is of one registration: on failover the other server's is used (R82)", () => {
    const stage = phone({}, {}, [PRIMARY, FALLBACK]);
    stage.server("primary").habits = {
      REGISTER: grants({ "service-route": "<sip:p.example;lr>" }),
    };
    stage.server("fallback").habits = {
      REGISTER: grants({ "service-route": "<sip:f.example;lr>" }),
    };
    stage.start();
    assert.equal(routeOf(stage, "primary"), "<sip:p.example;lr>");
    stage.kill("primary").until(2);
    assert.equal(routeOf(stage, "fallback"), "<sip:f.example;lr>");
  });
});
