/** The resolver against servers that misbehave, and the reading of what names a resolver. */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { describe, test } from "node:test";
import { decode, encode } from "dns-packet";
import type { DnsAnswer } from "../../src/core/vocabulary.ts";
import { Resolver } from "../../src/worlds/node/resolver.ts";
import { Hosts } from "../../src/worlds/node/resolver-hosts.ts";
import { inOrder, NameServer, readServers } from "../../src/worlds/node/resolver-servers.ts";
import { addresses, HOST, lookup } from "./resolver-asking.ts";

describe("the resolver against servers that misbehave", () => {
  /** Answers each datagram with what `reply` makes of the question. */
  async function stub(
    reply: (bytes: Buffer) => Buffer[],
  ): Promise<{ port: number; close(): void }> {
    const socket = createSocket("udp4").bind(0, HOST);
    await once(socket, "listening");
    socket.on("message", (bytes, from) => {
      for (const answer of reply(bytes)) socket.send(answer, from.port, from.address);
    });
    return { port: socket.address().port, close: () => socket.close() };
  }

  const right = (bytes: Buffer, address: string, change: object = {}): Buffer => {
    const { id = 0, questions = [] } = decode(bytes);
    const name = questions[0]?.name ?? "";
    const answers = [{ type: "A" as const, name, ttl: 60, data: address }];
    return encode({ type: "response", id, questions, answers, ...change });
  };

  async function ask(reply: (bytes: Buffer) => Buffer[]): Promise<DnsAnswer> {
    const server = await stub(reply);
    const servers = [{ host: HOST, port: server.port }];
    const resolver = new Resolver({ servers, timeoutMs: 5_000, retries: 0 });
    const answer = await lookup(resolver, "a.example.com", "A");
    resolver.close();
    server.close();
    return answer;
  }

  test("wrong ids, other questions, queries and noise are not looked at", async () => {
    const answer = await ask((bytes) => {
      const { id = 0 } = decode(bytes);
      return [
        Buffer.from("noise"),
        right(bytes, "203.0.113.1", { id: (id + 1) & 0xffff }),
        right(bytes, "203.0.113.2", { questions: [{ type: "A", name: "b.example.com" }] }),
        right(bytes, "203.0.113.3", { type: "query" }),
        right(bytes, "192.0.2.1"),
      ];
    });
    assert.deepEqual(addresses(answer), ["192.0.2.1"]);
  });

  test("a server that chokes on EDNS is asked again without it (RFC 6891 §6.2.2)", async () => {
    const answer = await ask((bytes) => {
      const edns = (decode(bytes).additionals?.length ?? 0) > 0;
      return [right(bytes, "192.0.2.1", edns ? { flags: 1, answers: [] } : {})];
    });
    assert.deepEqual(addresses(answer), ["192.0.2.1"]);
  });

  test("a CNAME that leads out of the message is asked for, a loop of them ends", async () => {
    const alias = (bytes: Buffer, from: string, to: string): Buffer =>
      right(bytes, "", { answers: [{ type: "CNAME", name: from, ttl: 7, data: to }] });
    const followed = await ask((bytes) =>
      decode(bytes).questions?.[0]?.name === "a.example.com"
        ? [alias(bytes, "a.example.com", "b.example.net")]
        : [right(bytes, "192.0.2.2")],
    );
    assert.ok(followed.kind === "records");
    assert.equal(followed.records[0]?.ttl, 7);
    assert.deepEqual(addresses(followed), ["192.0.2.2"]);
    let hop = 0;
    const endless = await ask((bytes) => {
      hop += 1;
      return [alias(bytes, decode(bytes).questions?.[0]?.name ?? "", `h${hop}.example.net`)];
    });
    assert.deepEqual(endless, { kind: "none", ttl: 0 });
  });

  test("a referral is no answer", async () => {
    const authorities = [{ type: "NS" as const, name: "com", ttl: 60, data: "ns.example.net" }];
    const answer = await ask((bytes) => [right(bytes, "", { answers: [], authorities })]);
    assert.deepEqual(answer, { kind: "silent", why: "referral" });
  });

  test("a TTL with its highest bit set counts as zero (RFC 2181 §8)", async () => {
    const answer = await ask((bytes) => [
      right(bytes, "", {
        answers: [{ type: "A", name: "a.example.com", ttl: 0x8000_0001, data: "192.0.2.1" }],
      }),
    ]);
    assert.ok(answer.kind === "records" && answer.records[0]?.ttl === 0);
  });
});

describe("what names a resolver", () => {
  test("HOST, HOST:PORT, IPv6 with and without brackets, and lists of them", () => {
    assert.deepEqual(
      readServers(["192.0.2.1", "192.0.2.2:5353, [2001:db8::1]:53,2001:db8::2", "ns.local:54"]),
      {
        servers: [
          { host: "192.0.2.1", port: 53 },
          { host: "192.0.2.2", port: 5353 },
          { host: "2001:db8::1", port: 53 },
          { host: "2001:db8::2", port: 53 },
          { host: "ns.local", port: 54 },
        ],
        wrong: [],
      },
    );
  });

  test("what cannot be read is told", () => {
    const { servers, wrong } = readServers([
      "192.0.2.1:0",
      "a:b",
      "[nonsense]:53",
      "192.0.2.1:70000",
      "",
    ]);
    assert.deepEqual(servers, []);
    assert.deepEqual(wrong, ["192.0.2.1:0", "a:b", "[nonsense]:53", "192.0.2.1:70000"]);
  });

  test("a server that failed goes last for a minute, then gets its chance in its own place", () => {
    const [one, two] = [1, 2].map((port) => new NameServer({ host: HOST, port }));
    assert.ok(one !== undefined && two !== undefined);
    one.failed(0);
    assert.deepEqual(inOrder([one, two], 59_999), [two, one]);
    assert.equal(one.state(59_999), "down");
    assert.deepEqual(inOrder([one, two], 60_000), [one, two]);
    assert.equal(one.state(60_000), "due");
    one.answered();
    assert.equal(one.state(60_001), "up");
  });

  test("a hosts file gives addresses and leaves other types to the DNS", () => {
    const hosts = new Hosts(
      "# comment\n192.0.2.5 PBX pbx.example.com # main\n2001:db8::5 pbx\nbad line\n",
    );
    assert.deepEqual(addresses(hosts.answer("pbx", "A") as DnsAnswer), ["192.0.2.5"]);
    assert.deepEqual(addresses(hosts.answer("pbx", "AAAA") as DnsAnswer), ["2001:db8::5"]);
    assert.equal(hosts.answer("pbx", "SRV"), undefined);
    assert.equal(hosts.answer("line", "A"), undefined);
  });
});
