/** A digest of the password goes to servers of the account and to nobody else (R107, I7). */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Request } from "../../../src/core/message/message.ts";
import { dial, failover, servers } from "./callers.ts";
import type { Rehearsal } from "./rehearsal.ts";
import type { Reply } from "./scripted-server.ts";

const PROOF = /^(Proxy-)?Authorization:/m;

/** Asks whoever has not proved it yet. */
function challenging(
  realm: string,
  status: 401 | 407,
  yes: (request: Request) => readonly Reply[],
) {
  return (request: Request): readonly Reply[] => {
    const proven =
      request.headers.has("proxy-authorization") || request.headers.has("authorization");
    const header = status === 401 ? "www-authenticate" : "proxy-authenticate";
    const asked = { [header]: `Digest realm="${realm}", nonce="n-${realm}", qop="auth"` };
    return proven ? yes(request) : [{ status, headers: asked }];
  };
}

/** The BYEs of a call whose peer asks for the password. */
function byes(stage: Rehearsal): string[] {
  dial(stage).until(2);
  stage.do((now) => stage.phone.hangup(now)).until(40);
  return stage.sent
    .filter(({ method, again }) => method === "BYE" && !again)
    .map(({ text }) => text);
}

test("a peer that the dialog leads to directly gets no digest, whatever realm it names", () => {
  for (const realm of ["elsewhere", "home"]) {
    const stage = servers({}, "192.0.2.13");
    const primary = stage.server("primary");
    primary.habits = {
      INVITE: challenging("home", 407, (request) => [
        // No Record-Route: what follows goes to the peer itself.
        ...primary.yes(request).map((reply) => ({
          ...reply,
          headers: { ...reply.headers, contact: "<sip:callee@192.0.2.33:5060>" },
        })),
      ]),
    };
    const stranger = stage.server("proxy1");
    stranger.habits = { BYE: challenging(realm, 407, (request) => stranger.yes(request)) };
    const all = byes(stage);
    assert.ok(all.length > 0);
    for (const text of all) assert.doesNotMatch(text, PROOF, realm);
  }
});

test("behind our own server a realm that never asked outside a dialog gets no digest", () => {
  const stage = failover();
  const primary = stage.server("primary");
  primary.habits = { BYE: challenging("elsewhere", 401, (request) => primary.yes(request)) };
  const all = byes(stage);
  assert.equal(all.length, 1);
  assert.doesNotMatch(all.join(), PROOF);
});

test("our own server is answered inside a dialog as outside", () => {
  const stage = failover();
  const primary = stage.server("primary");
  const yes = (request: Request): readonly Reply[] => primary.yes(request);
  primary.habits = { INVITE: challenging("home", 407, yes), BYE: challenging("home", 407, yes) };
  const all = byes(stage);
  assert.match(all.at(-1) ?? "", PROOF);
});
