/** Names of one phone among those of a user (RFC 5627, R85). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { TestPhone } from "./test-phone.ts";
import { Town } from "./town.ts";

const SERVER = "udp:10.0.0.1:5060";
const DESK = "urn:uuid:00000000-0000-4000-8000-00000000000a";
const SOFT = "urn:uuid:00000000-0000-4000-8000-00000000000b";

class House {
  readonly town: Town = new Town();
  readonly alice: TestPhone;
  readonly desk: TestPhone;
  readonly soft: TestPhone;

  constructor(configuration: Parameters<Town["server"]>[0] = {}) {
    this.town.server(configuration);
    this.alice = new TestPhone(this.town, "udp:10.0.1.1:5060", "alice");
    this.desk = new TestPhone(this.town, "udp:10.0.2.1:5060", "bob");
    this.soft = new TestPhone(this.town, "udp:10.0.2.2:5060", "bob");
  }

  /** The GRUUs in the 200, of the phone's own contact. */
  register(
    phone: TestPhone,
    instance: string,
    { callId = `reg-${instance}`, supported = "gruu", expires = 600, uri = phone.contact } = {},
  ): { open: string | undefined; hidden: string | undefined } {
    registrations += 1;
    const text = [
      "REGISTER sip:example.com SIP/2.0",
      `Via: SIP/2.0/UDP ${phone.address};branch=z9hG4bKr${registrations};rport`,
      "From: <sip:bob@example.com>;tag=1",
      "To: <sip:bob@example.com>",
      `Call-ID: ${callId}`,
      `CSeq: ${registrations} REGISTER`,
      `Contact: <${uri}>;+sip.instance="<${instance}>"`,
      `Supported: ${supported}`,
      `Expires: ${expires}`,
      "Content-Length: 0",
      "",
      "",
    ].join("\r\n");
    phone.sendText(SERVER, text);
    this.town.pass(10);
    const contacts = phone.final("REGISTER").headers.all("contact");
    const own = contacts.find((contact) => contact.includes(`<${phone.contact}>`)) ?? "";
    return {
      open: /;pub-gruu="([^"]*)"/.exec(own)?.[1],
      hidden: /;temp-gruu="([^"]*)"/.exec(own)?.[1],
    };
  }

  /** Who hears a MESSAGE to that URI, and what alice hears. */
  send(uri: string | undefined, server: string = SERVER): string {
    for (const phone of [this.alice, this.desk, this.soft]) phone.received.length = 0;
    this.desk.answer = this.soft.answer = () => 200;
    messages += 1;
    this.alice.send(server, "MESSAGE", uri ?? "", { callId: `message-${messages}` });
    this.town.pass(20);
    const heard = [this.desk, this.soft].map(({ requests }) =>
      requests.length > 0 ? "heard" : "-",
    );
    return `${heard.join(" ")} ${this.alice.final("MESSAGE").status}`;
  }
}

let registrations = 0;
let messages = 0;

test("a phone that asks gets a public and a temporary name, and its user's other phones do not answer to them (R85)", () => {
  const house = new House();
  const desk = house.register(house.desk, DESK);
  const soft = house.register(house.soft, SOFT);
  assert.equal(desk.open, `sip:bob@example.com;gr=${DESK}`);
  assert.equal(house.send("sip:bob@example.com"), "heard heard 200");
  assert.equal(house.send(desk.open), "heard - 200");
  assert.equal(house.send(soft.open), "- heard 200");
  assert.equal(house.send(desk.hidden), "heard - 200");
  assert.equal(house.send(soft.hidden), "- heard 200");
  assert.equal(house.soft.last("MESSAGE").uri, house.soft.contact);
});

test("the public name is always the same, the temporary one new each time, and all of them are good (R85)", () => {
  const house = new House();
  const first = house.register(house.desk, DESK);
  const second = house.register(house.desk, DESK);
  assert.equal(second.open, first.open);
  assert.notEqual(second.hidden, first.hidden);
  assert.equal(house.send(first.hidden), "heard - 200");
  assert.equal(house.send(second.hidden), "heard - 200");
});

test("a temporary name says nothing of the user or the phone (R85)", () => {
  const house = new House();
  const name = house.register(house.desk, DESK).hidden ?? "";
  assert.match(name, /^sip:tgruu\.\w+\.[0-9a-f]+\.[0-9a-f]{20}@example\.com;gr$/);
  assert.doesNotMatch(name, /bob|uuid|000a/);
});

test("temporary names die with the Call-ID, the public one lives on (R85)", () => {
  const house = new House();
  const { open, hidden } = house.register(house.desk, DESK);
  house.register(house.desk, DESK, { callId: "rebooted" });
  assert.equal(house.send(hidden), "- - 404");
  assert.equal(house.send(open), "heard - 200");
});

test("without a binding the public name is 480, a temporary one 404 (R85)", () => {
  const house = new House();
  const { open, hidden } = house.register(house.desk, DESK);
  house.register(house.desk, DESK, { expires: 0 });
  assert.equal(house.send(open), "- - 480");
  assert.equal(house.send(hidden), "- - 404");
});

test("a temporary name that was made up, or changed in a single digit, is 404 (R85)", () => {
  const house = new House();
  const { hidden = "" } = house.register(house.desk, DESK);
  const at = hidden.lastIndexOf(".") - 1;
  const changed = `${hidden.slice(0, at)}${hidden[at] === "0" ? "1" : "0"}${hidden.slice(at + 1)}`;
  for (const uri of [changed, "sip:tgruu.x@example.com;gr", "sip:tgruu@example.com;gr"]) {
    assert.match(house.send(uri), /^- - 404$/, uri);
  }
});

test("a phone that does not ask, or names no instance, gets none (R85)", () => {
  const house = new House();
  assert.equal(house.register(house.desk, DESK, { supported: "path" }).open, undefined);
  assert.equal(house.register(house.desk, "no-urn>in-here", { callId: "odd" }).open, undefined);
});

test("a name made here is no contact: it would lead in a circle (R85)", () => {
  const house = new House();
  const { open = "" } = house.register(house.desk, DESK);
  for (const uri of [open, open.replace(";gr=", ";GR=")]) {
    house.register(house.soft, SOFT, { uri });
    assert.equal(house.soft.final("REGISTER").status, 403);
  }
});

test("names that a phone sends back, or makes up, are not kept: those in the 200 are made here (R85)", () => {
  const house = new House();
  const told = ';pub-gruu="sip:eve@example.org;gr=x";temp-gruu="sip:y@example.org;gr"';
  const { open } = house.register(house.desk, `${DESK}>"${told};x="<`, { callId: "echo" });
  assert.equal(open, `sip:bob@example.com;gr=${DESK}`);
  assert.equal(
    house.desk
      .final("REGISTER")
      .headers.get("contact")
      ?.match(/-gruu=/g)?.length,
    2,
  );
  assert.doesNotMatch(house.desk.texts.at(-1) ?? "", /example\.org/);
});

test("another node of the system understands the names (R85)", () => {
  const house = new House({ shared: true });
  const two = { transport: "udp", address: "10.0.0.2", port: 5060 } as const;
  house.town.server({ name: "two", listen: [two], shared: true });
  const { open, hidden } = house.register(house.desk, DESK);
  house.register(house.soft, SOFT);
  assert.equal(house.send(open, "udp:10.0.0.2:5060"), "heard - 200");
  assert.equal(house.send(hidden, "udp:10.0.0.2:5060"), "heard - 200");
});

test("a dialog whose caller is named by a GRUU finds its way back to that phone (R85)", () => {
  const house = new House();
  const { open = "" } = house.register(house.desk, DESK);
  house.register(house.soft, SOFT);
  const { alice, desk, soft, town } = house;
  alice.register(SERVER);
  alice.answer = () => 200;
  town.pass(10);
  desk.answer = soft.answer = () => 200;
  desk.sendText(
    SERVER,
    [
      "INVITE sip:alice@example.com SIP/2.0",
      `Via: SIP/2.0/UDP ${desk.address};branch=z9hG4bKinvite;rport`,
      "From: <sip:bob@example.com>;tag=b",
      "To: <sip:alice@example.com>",
      "Call-ID: with-gruu",
      "CSeq: 1 INVITE",
      "Max-Forwards: 70",
      `Contact: <${open}>`,
      "Content-Length: 0",
      "",
      "",
    ].join("\r\n"),
  );
  town.pass(20);
  soft.received.length = 0;
  alice.sendInDialog(SERVER, "BYE", alice.last("INVITE"));
  town.pass(20);
  assert.equal(desk.last("BYE").uri, desk.contact);
  assert.deepEqual(soft.heard, []);
});
