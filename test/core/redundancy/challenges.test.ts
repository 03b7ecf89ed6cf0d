/** Several realms that ask one phone for credentials (RFC 3261 §22.3, RFC 7616; R6, R106). */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Rehearsal } from "./rehearsal.ts";
import { type Habit, says } from "./scripted-server.ts";
import { successive } from "./stages.ts";

const METHODS = { methods: ["INVITE"] };

/** The realms whose credentials each INVITE bore, sorted. */
function realms(stage: Rehearsal): string[][] {
  const invites = stage.sent.filter(({ method }) => method === "INVITE");
  return invites.map(({ text }) =>
    [...text.matchAll(/^Proxy-Authorization: .*?realm="(\w+)"/gm)]
      .map(([, realm = ""]) => realm)
      .sort(),
  );
}

function challenge(realm: string, nonce = "n"): string {
  return `Digest realm="${realm}", nonce="${nonce}", qop="auth"`;
}

/** Asks for credentials of each of these realms in turn, as proxies in a row do. */
function row(...names: readonly string[]): Habit {
  return (request, now) => {
    const given = request.headers.all("proxy-authorization").join();
    const missing = names.find((name) => !given.includes(`realm="${name}"`));
    return missing === undefined
      ? [{ status: 486 }]
      : says(407, { "proxy-authenticate": challenge(missing) })(request, now);
  };
}

test("two proxies in a row, each with its realm: the second request that is asked for bears both (R6)", () => {
  const stage = successive({}, METHODS);
  stage.server("primary").habits = { INVITE: row("edge", "core") };
  stage.start().until(1).zero();
  stage
    .do(() => stage.phone.call("2099"))
    .expect(`
    0.0 INVITE → primary
    0.0 407 ← primary
    0.0 INVITE → primary
    0.0 407 ← primary
    0.0 INVITE → primary
    0.0 486 ← primary
  `);
  assert.deepEqual(realms(stage), [[], ["edge"], ["core", "edge"]]);
  stage.do(() => stage.phone.call("2099"));
  assert.deepEqual(realms(stage).at(-1), ["core", "edge"], "the next call need not be asked");
});

test("a proxy that has put the challenges of its branches together is answered for each realm (R55)", () => {
  const stage = successive({}, METHODS);
  stage.server("primary").habits = {
    INVITE: (request, now) =>
      request.headers.all("proxy-authorization").length === 2
        ? [{ status: 486 }]
        : says(407, { "proxy-authenticate": `${challenge("one")}, ${challenge("two")}` })(
            request,
            now,
          ),
  };
  stage.start().until(1).zero();
  stage
    .do(() => stage.phone.call("2099"))
    .expect(`
    0.0 INVITE → primary
    0.0 407 ← primary
    0.0 INVITE → primary
    0.0 486 ← primary
  `);
  assert.deepEqual(realms(stage), [[], ["one", "two"]]);
});

test("where one of two realms refuses the answer to its own nonce, nothing more is tried", () => {
  const stage = successive({}, METHODS);
  stage.server("primary").habits = {
    INVITE: says(407, { "proxy-authenticate": `${challenge("one")}, ${challenge("two")}` }),
  };
  stage.start().until(1).zero();
  stage.do(() => stage.phone.call("2099"));
  assert.deepEqual(realms(stage), [[], ["one", "two"]]);
});

test("a registrar that has got another realm is not sent the old one's credentials any more", () => {
  const stage = successive({}, { methods: ["REGISTER"] });
  let realm = "old";
  stage.server("primary").habits = {
    REGISTER: (request, now) =>
      (request.headers.get("authorization") ?? "").includes(`realm="${realm}"`)
        ? stage.server("primary").yes(request)
        : says(401, { "www-authenticate": challenge(realm, realm) })(request, now),
  };
  stage.start().until(1);
  realm = "new";
  stage.until(600);
  const last = stage.sent.at(-1)?.text ?? "";
  assert.deepEqual(
    [...last.matchAll(/realm="(\w+)"/g)].map(([, name]) => name),
    ["new"],
  );
});
