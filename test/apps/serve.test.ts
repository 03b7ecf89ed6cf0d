/** `dialtone serve` as a process: what it says, how it ends, and its HTTP face. */
import assert from "node:assert/strict";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { WebSocket } from "ws";
import { Household, type Running } from "../support/processes.ts";
import { Dialtone } from "../support/processes-dialtone.ts";

const CLI = join(import.meta.dirname, "..", "..", "src", "apps", "cli.js");

/** What a request is answered with. */
async function exchange(socket: Socket, port: number, address: string, text: string) {
  const answer = once(socket, "message");
  socket.send(text, port, address);
  const [bytes] = (await answer) as [Buffer];
  return bytes.toString("latin1");
}

let cseq = 0;

function register(user: string, host: string, port: number, lines: string[] = []): string {
  cseq += 1;
  return [
    "REGISTER sip:example.com SIP/2.0",
    `Via: SIP/2.0/UDP ${host}:${port};branch=z9hG4bK${cseq};rport`,
    `From: <sip:${user}@example.com>;tag=1`,
    `To: <sip:${user}@example.com>`,
    `Call-ID: reg-${user}`,
    `CSeq: ${cseq} REGISTER`,
    "Max-Forwards: 70",
    `Contact: <sip:${user}@${host}:${port}>`,
    ...lines,
    "Content-Length: 0",
    "",
    "",
  ].join("\r\n");
}

/** A 200 with what has to be copied. */
function answerTo(request: string): string {
  const kept = request.split("\r\n").filter((line) => /^(Via|From|To|Call-ID|CSeq):/.test(line));
  return ["SIP/2.0 200 OK", ...kept, "Content-Length: 0", "", ""].join("\r\n");
}

describe("dialtone serve", () => {
  let household: Household;
  let address: string;
  let phone: Socket;

  before(async () => {
    household = await Household.open(61);
    address = household.address(1);
    phone = createSocket("udp4");
    phone.bind(0, address);
    await once(phone, "listening");
  });

  after(async () => {
    phone.close();
    await household.close();
  });

  const run = (args: string[]): Running =>
    household.spawn("serve", process.execPath, [CLI, "serve", ...args]);

  const open = (port: number): string[] => [
    ...["--listen", `udp:${address}:${port}`, "--domain", "example.com", "--open"],
  ];

  test("wrong input is exit 2 with every fault at once, the users file's with their lines", async () => {
    const file = household.path("wrong.yaml");
    writeFileSync(file, "alice: secret\nbob: {pasword: x}\n");
    const wrong = run(["--listen", "udp:here", "--users", file, "--role", "chief"]);
    await wrong.exited;
    assert.equal(wrong.exitCode, 2);
    const told = wrong.lines.join("\n");
    for (const key of ["--listen", "--domain", "--role"]) assert.match(told, new RegExp(key));
    assert.match(told, /wrong\.yaml:2: bob\.pasword: is not a key of a user/);
    assert.doesNotMatch(told, /secret/);
  });

  test("a store without a meaning is exit 2", async () => {
    const wrong = run([...open(5060), "--store", "redis"]);
    await wrong.exited;
    assert.equal(wrong.exitCode, 2);
  });

  test("a port that is taken is exit 3 and named", async () => {
    const taken = createSocket("udp4");
    taken.bind(5062, address);
    await once(taken, "listening");
    const server = run(open(5062));
    await server.exited;
    assert.equal(server.exitCode, 3);
    assert.match(server.lines.join("\n"), new RegExp(`udp:${address}:5062: the port is taken`));
    taken.close();
  });

  test("it says when it listens, serves, and ends at a signal with exit 0", async () => {
    const server = run([...open(5063), "--json", "--name", "one"]);
    const started = JSON.parse(await server.line(/server\.started/)) as Record<string, unknown>;
    assert.equal(started.node, "one");
    assert.equal(started.listen, `udp:${address}:5063`);
    assert.match(server.lines[0] ?? "", /server\.opened/);
    const { port } = phone.address();
    const answer = await exchange(phone, 5063, address, register("alice", address, port));
    assert.match(answer, /^SIP\/2\.0 200 OK\r\n/);
    await server.line(/binding\.added/);
    const asked = performance.now();
    server.signal("SIGTERM");
    await server.exited;
    assert.equal(server.exitCode, 0);
    assert.ok(performance.now() - asked < 5_000);
  });

  test("the trace shows messages, and neither passwords nor digests", async () => {
    const users = household.path("users.yaml");
    writeFileSync(users, "alice: wonderland\n");
    const args = ["serve", "--listen", `udp:${address}:5064`, "--domain", "example.com"];
    const server = new Dialtone(household, "guarded", [...args, "--users", users]);
    await server.event("server.started");
    const { port } = phone.address();
    const digest = `Authorization: Digest username="alice", realm="example.com", nonce="n", uri="sip:example.com", response="0123456789abcdef0123456789abcdef"`;
    const answer = await exchange(phone, 5064, address, register("alice", address, port, [digest]));
    assert.match(answer, /^SIP\/2\.0 401 Unauthorized\r\n/);
    const refused = await server.event("request.refused", { status: 401 });
    assert.equal(refused.why, "wrong password");
    const [received] = server.messages("received", "REGISTER");
    assert.match(received?.text ?? "", /response="\*{32}"/);
    assert.doesNotMatch(server.process.lines.join("\n"), /wonderland|0123456789abcdef/);
    assert.equal(await server.stop(), 0);
  });

  test("on command it refuses, drops, and heals", async () => {
    const server = new Dialtone(household, "faulty", ["serve", ...open(5065)]);
    await server.event("server.started");
    const { port } = phone.address();
    const ask = () => exchange(phone, 5065, address, register("alice", address, port));
    server.command({ do: "answer-503", retryAfter: 7 });
    server.command({ do: "nonsense" });
    await server.process.line(/"nonsense" is not known/);
    const refused = await ask();
    assert.match(refused, /^SIP\/2\.0 503 /);
    assert.match(refused, /Retry-After: 7\r\n/);
    server.command({ do: "heal" });
    server.command({ do: "nonsense again" });
    await server.process.line(/"nonsense again" is not known/);
    assert.match(await ask(), /^SIP\/2\.0 200 /);
    server.process.write("hang up, please\n");
    await server.event("command.refused", { why: "no command: hang up, please" });
    assert.equal(await server.stop(), 0);
  });

  test("a phone in a browser registers over WebSocket and is called there (R105)", async () => {
    const args = ["--listen", `udp:${address}:5067`, "--listen", `ws:${address}:5068`];
    const server = run([...args, "--domain", "example.com", "--open", "--json"]);
    await server.line(/server\.started/);
    const browser = new WebSocket(`ws://${address}:5068`, "sip");
    await once(browser, "open");
    const heard = async (): Promise<string> => {
      const [data] = (await once(browser, "message")) as [Buffer];
      return data.toString("latin1");
    };
    const registered = heard();
    const text = register("webby", "x1.invalid", 5060, ["Supported: path, outbound"])
      .replace("SIP/2.0/UDP x1.invalid:5060", "SIP/2.0/WS x1.invalid")
      .replace("x1.invalid:5060>", "x1.invalid;transport=ws>");
    browser.send(text);
    assert.match(await registered, /^SIP\/2\.0 200 OK\r\n/);

    const called = heard();
    const { port } = phone.address();
    const answered = once(phone, "message") as Promise<[Buffer]>;
    const message = register("caller", address, port)
      .replace("REGISTER sip:example.com", "MESSAGE sip:webby@example.com")
      .replace("REGISTER", "MESSAGE");
    phone.send(message, 5067, address);
    const request = await called;
    assert.match(
      request,
      /^MESSAGE sip:webby@x1\.invalid;transport=ws SIP\/2\.0\r\nVia: SIP\/2\.0\/WS /,
    );
    browser.send(answerTo(request));
    const [answer] = await answered;
    assert.match(answer.toString("latin1"), /^SIP\/2\.0 200 OK\r\n/);
    browser.close();
    await server.stop();
    assert.equal(server.exitCode, 0);
  });

  test("HTTP: health, metrics, registrations; changes only with the token", async () => {
    process.env.DIALTONE_TOKEN = "opensesame";
    const server = run([...open(5066), "--json", "--http", `${address}:0`]);
    delete process.env.DIALTONE_TOKEN;
    const http = JSON.parse(await server.line(/http\.started/)) as { port: number };
    await server.line(/server\.started/);
    const base = `http://${address}:${http.port}`;
    const { port } = phone.address();
    await exchange(phone, 5066, address, register("alice", address, port, ["User-Agent: test"]));
    await server.line(/binding\.added/);

    assert.deepEqual(await (await fetch(`${base}/health`)).json(), { state: "running" });
    const metrics = await (await fetch(`${base}/metrics`)).text();
    assert.match(metrics, /dialtone_events_total\{event="binding\.added"\} 1/);
    const listed = (await (await fetch(`${base}/registrations`)).json()) as unknown[];
    assert.equal(listed.length, 1);
    const [{ aor, bindings }] = listed as [{ aor: string; bindings: Record<string, unknown>[] }];
    assert.equal(aor, "alice@example.com");
    assert.equal(bindings[0]?.userAgent, "test");
    assert.equal(bindings[0]?.source, `udp:${address}:${port}`);

    const change = async (token?: string): Promise<number> => {
      const headers: Record<string, string> =
        token === undefined ? {} : { authorization: `Bearer ${token}` };
      return (await fetch(`${base}/registrations/alice`, { method: "DELETE", headers })).status;
    };
    assert.equal(await change(), 401);
    assert.equal(await change("guess"), 401);
    assert.equal(await change("opensesame"), 204);
    assert.equal(await change("opensesame"), 404);
    assert.deepEqual(await (await fetch(`${base}/registrations`)).json(), []);
    await server.stop();
    assert.equal(server.exitCode, 0);
  });
});
