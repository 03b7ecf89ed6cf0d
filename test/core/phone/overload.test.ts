/** A phone whose server says that it is overloaded (RFC 7339). Times are seconds. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Request } from "../../../src/core/message/message.ts";
import { LOSS_OFFER } from "../../../src/core/message/overload.ts";
import { defaultAccount, defaultPolicy } from "../../../src/core/redundancy/policy-defaults.ts";
import { Rehearsal } from "../redundancy/rehearsal.ts";
import { calm, FALLBACK } from "../redundancy/stages.ts";

const PRIMARY = "192.0.2.13";

/** Registered at two servers; the first one says with each 200 what share to keep back for 20 s. */
function phone(share: number): Rehearsal {
  const redundancy = { ...defaultPolicy(PRIMARY, FALLBACK), ...calm() };
  const options = { methods: ["INVITE"], events: ["server.suspected"] };
  const stage = new Rehearsal([defaultAccount("2001", redundancy)], options);
  const primary = stage.server("primary");
  primary.habits = {
    REGISTER: (request: Request) => {
      const report = `;oc=${share};oc-algo="loss";oc-validity=20000;oc-seq=1.0`;
      const via = (request.headers.get("via") ?? "").replace(LOSS_OFFER, report);
      return primary
        .yes(request)
        .map((reply) => ({ ...reply, headers: { ...reply.headers, via } }));
    },
  };
  return stage.start().until(1).zero();
}

test("every request offers to be kept back (R108)", () => {
  const stage = phone(0);
  stage.do(() => stage.phone.call("2099"));
  for (const { headers } of stage.server("primary").requests) {
    assert.match(headers.get("via") ?? "", /;oc;oc-algo="loss"$/);
  }
});

test("a call that is kept back goes to the next server at once, and nobody is thought dead (R109, R50)", () => {
  const stage = phone(100);
  stage.do(() => stage.phone.call("2099")).until(1);
  stage.expect("0.0 INVITE → fallback\n0.0 200 ← fallback");
});

test("the time over, calls go to the first server again (R109)", () => {
  const stage = phone(100).until(20).zero();
  stage.do(() => stage.phone.call("2099")).until(1);
  stage.expect("0.0 INVITE → primary\n0.0 200 ← primary");
});
