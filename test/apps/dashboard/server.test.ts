/** Who may look at a lab's page, and who may change something: over real HTTP. */
import assert from "node:assert/strict";
import { type IncomingMessage, request } from "node:http";
import { type TestContext, test } from "node:test";
import { Feed } from "../../../src/apps/dashboard/feed.ts";
import type { PageCommand } from "../../../src/apps/dashboard/protocol.ts";
import { Dashboard } from "../../../src/apps/dashboard/server.ts";
import { newToken } from "../../../src/apps/pages/guard.ts";
import { MAX_COMMAND_BYTES, MAX_WATCHERS } from "../../../src/apps/pages/limits.ts";

const KILL = { do: "fault", server: "primary", fault: { kind: "kill" } } as const;

interface Opened {
  readonly dashboard: Dashboard;
  readonly feed: Feed;
  readonly token: string;
  readonly obeyed: PageCommand[];
}

async function opened(t: TestContext): Promise<Opened> {
  const [feed, token, obeyed] = [new Feed(), newToken(), [] as PageCommand[]];
  const dashboard = await Dashboard.open({
    host: "127.0.0.1",
    port: 0,
    token,
    feed,
    scenarios: [],
    scope: () => ({
      servers: ["primary"],
      phones: ["alice"],
      scenarios: ["mid-call"],
      resolver: true,
    }),
    obey: async (command) => {
      if (command.do === "pause") throw new Error("nothing is under way");
      obeyed.push(command);
    },
  });
  t.after(() => dashboard.close());
  return { dashboard, feed, token, obeyed };
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

/** With exactly these headers: a browser's fetch would not let us lie. */
function ask(
  { dashboard }: Opened,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body = "",
): Promise<Answer> {
  return new Promise((done, failed) => {
    const asking = request(new URL(path, dashboard.address), { method, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part) => (text += part));
      response.on("end", () =>
        done({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
    });
    asking.once("error", failed);
    asking.end(body);
  });
}

function command(
  lab: Opened,
  headers: Readonly<Record<string, string>>,
  what: unknown = KILL,
): Promise<Answer> {
  const all = { "content-type": "application/json", ...headers };
  return ask(lab, "POST", "/command", all, JSON.stringify(what));
}

test("a Host that names another place is refused, whatever is asked: DNS rebinding leads nowhere", async (t) => {
  const lab = await opened(t);
  const port = new URL(lab.dashboard.address).port;
  const authorization = `Bearer ${lab.token}`;
  for (const host of [
    "evil.example",
    `evil.example:${port}`,
    "127.0.0.1:1",
    `127.0.0.1.evil.example:${port}`,
  ]) {
    for (const path of ["/", "/page.js", "/events"]) {
      assert.equal((await ask(lab, "GET", path, { host })).status, 403, `${host} ${path}`);
    }
    assert.equal((await command(lab, { host, authorization })).status, 403, host);
  }
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`]) {
    assert.equal((await ask(lab, "GET", "/nothing", { host })).status, 404, host);
  }
  assert.deepEqual(lab.obeyed, []);
});

test("another site's Origin is refused, with the token or without; its own is not", async (t) => {
  const lab = await opened(t);
  const own = lab.dashboard.address.slice(0, -1);
  const authorization = `Bearer ${lab.token}`;
  for (const origin of [
    "https://evil.example",
    "null",
    own.replace("http:", "https:"),
    `${own}0`,
  ]) {
    assert.equal((await command(lab, { origin, authorization })).status, 403, origin);
    assert.equal((await ask(lab, "GET", "/events", { origin })).status, 403, origin);
  }
  assert.deepEqual(lab.obeyed, []);
  assert.equal((await command(lab, { origin: own, authorization })).status, 200);
  assert.deepEqual(lab.obeyed, [KILL]);
});

test("nothing is changed without the printed token", async (t) => {
  const lab = await opened(t);
  const wrong = [
    "",
    "Bearer",
    `Bearer ${lab.token}x`,
    `Bearer ${lab.token.slice(1)}`,
    `Basic ${lab.token}`,
  ];
  for (const authorization of wrong) {
    const { status, headers } = await command(lab, authorization === "" ? {} : { authorization });
    assert.equal(status, 401, authorization);
    assert.equal(headers["www-authenticate"], "Bearer");
  }
  assert.deepEqual(lab.obeyed, []);
  assert.match(
    lab.dashboard.invitation,
    new RegExp(`#${lab.token}$`),
    "behind the #, where no server sees it",
  );
});

test("a command is JSON of a known kind about somebody who is there, and short", async (t) => {
  const lab = await opened(t);
  const authorization = `Bearer ${lab.token}`;
  const wrong = [
    { ...KILL, server: "tertiary" },
    { ...KILL, fault: { kind: "explode" } },
    { ...KILL, fault: { kind: "delay", ms: -1 } },
    { ...KILL, fault: { kind: "certificate", shown: "/etc/passwd" } },
    { do: "way", ends: ["alice", "alice"], fault: { kind: "drop" } },
    { do: "way", ends: ["dns"], fault: { kind: "drop" } },
    { do: "way", ends: ["alice", "mallory"], fault: { kind: "drop" } },
    { do: "way", ends: ["alice", "primary", "dns"], fault: { kind: "drop" } },
    { do: "way", ends: ["alice"], fault: { kind: "lose", share: 1.5 } },
    { do: "way", ends: ["alice"], fault: { kind: "reorder", share: 0.5 } },
    { do: "dns", fault: { kind: "lie", address: "192.0.2.1" } },
    { do: "dns", fault: { kind: "zone", text: "" } },
    { do: "phone", phone: "alice", command: { kind: "call", to: "a\r\nb" } },
    { do: "phone", phone: "mallory", command: { kind: "hangup" } },
    { do: "play", scenario: "../../etc/passwd" },
    { do: "format" },
    null,
    [],
  ];
  for (const what of wrong) {
    const { status } = await command(lab, { authorization }, what);
    assert.equal(status, 400, JSON.stringify(what));
  }
  const form = { authorization, "content-type": "text/plain" };
  assert.equal((await command(lab, form)).status, 415, "no form of another page can send it");
  const long = { ...KILL, padding: "x".repeat(MAX_COMMAND_BYTES) };
  assert.equal((await command(lab, { authorization }, long)).status, 413);
  assert.equal((await command(lab, { authorization }, { do: "pause", trace: "t1" })).status, 409);
  assert.deepEqual(lab.obeyed, []);
});

test("every fault of servers, ways and the resolver is handed on as it was asked for", async (t) => {
  const lab = await opened(t);
  const authorization = `Bearer ${lab.token}`;
  const way = (fault: unknown): unknown => ({ do: "way", ends: ["alice", "primary"], fault });
  const deeds = [
    KILL,
    { ...KILL, fault: { kind: "reset" } },
    { ...KILL, fault: { kind: "certificate", shown: "expired" } },
    { ...KILL, fault: { kind: "answer-503", retryAfterSeconds: 30 } },
    way({ kind: "drop" }),
    way({ kind: "refuse" }),
    way({ kind: "delay", ms: 700 }),
    way({ kind: "lose", share: 0.3 }),
    way({ kind: "duplicate", share: 1 }),
    way({ kind: "reorder", share: 0.3, ms: 50 }),
    way({ kind: "heal" }),
    { do: "way", ends: ["primary"], fault: { kind: "drop" } },
    { do: "way", ends: ["alice", "dns"], fault: { kind: "drop" } },
    { do: "dns", fault: { kind: "servfail" } },
    { do: "dns", fault: { kind: "lie", address: "primary" } },
  ];
  for (const what of deeds) {
    assert.equal((await command(lab, { authorization }, what)).status, 200, JSON.stringify(what));
  }
  assert.deepEqual(lab.obeyed, deeds);
});

test("the page may load nothing from elsewhere and be framed by nobody", async (t) => {
  const { headers } = await ask(await opened(t), "GET", "/", {});
  const policy = String(headers["content-security-policy"]);
  for (const part of [
    "default-src 'none'",
    "script-src 'self'",
    "connect-src 'self'",
    "frame-ancestors 'none'",
  ]) {
    assert.ok(policy.includes(part), part);
  }
  assert.equal(headers["x-content-type-options"], "nosniff");
});

interface Watching {
  readonly status: number;
  /** Resolves with the stream so far once it has the text. */
  until(text: string): Promise<string>;
}

function watch({ dashboard }: Opened): Promise<Watching> {
  return new Promise((done, failed) => {
    const asking = request(new URL("/events", dashboard.address), (response) => {
      let heard = "";
      const waiting = new Set<() => void>();
      response.setEncoding("utf8");
      response.on("data", (part) => {
        heard += part;
        for (const look of waiting) look();
      });
      // The server hangs up at the end of the test.
      response.on("error", () => undefined);
      const until = (text: string): Promise<string> =>
        new Promise((found) => {
          const look = (): void => {
            if (heard.includes(text)) found(heard);
          };
          waiting.add(look);
          look();
        });
      done({ status: response.statusCode ?? 0, until });
    });
    asking.once("error", failed);
    asking.end();
  });
}

test("whoever comes late is told everything, then what happens; so many may watch and no more", async (t) => {
  const lab = await opened(t);
  const header = { title: "A lab", epochMs: 0, servers: [], phones: [] } as const;
  const state = { standing: "live", held: false, virtual: false } as const;
  const trace = lab.feed.open({ ...header, ...state }, () => 7);
  trace.add({ at: 1, node: "alice", event: "phone.started" });
  const first = await watch(lab);
  const told = await first.until("phone.started");
  assert.match(
    told,
    /^event: greeting\ndata: \{.*\}\n\nevent: trace\ndata: \{.*"id":"t1".*\}\n\nevent: records\n/s,
  );
  trace.add({ at: 2, node: "alice", event: "call.started" });
  const more = await first.until("call.started");
  assert.equal(more.split("phone.started").length, 2, "nothing is told twice");
  for (let index = 1; index < MAX_WATCHERS; index += 1)
    assert.equal((await watch(lab)).status, 200);
  assert.equal((await watch(lab)).status, 503);
});
