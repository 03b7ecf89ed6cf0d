/** Retry counts that the end of the transaction makes meaningless. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { polycom, yealink } from "./lint-files.ts";

const NAME = "sip_server.1.address = pbx.example.com";

test("retries that do not fit into a transaction are told (C14)", () => {
  assert.match(
    yealink(NAME, "sip_server.1.invite_retry_counts = 10").join(),
    /only 6 of 10 resends fit into the 32 s .*; write account\.1\.sip_server\.1\.invite_retry_counts = 3$/,
  );
  assert.match(yealink(NAME, "sip_server.1.retry_counts = 20").join(), /only 10 of 20 resends/);
  assert.deepEqual(yealink(NAME, "sip_server.1.retry_counts = 10"), []);
  assert.match(
    polycom(
      'reg.1.server.1.address="a.example.com"',
      'reg.1.server.1.retryTimeOut="10000"',
      'reg.1.server.1.retryMaxCount="9"',
    ).join(),
    /only 3 of 9 resends/,
  );
});

test("where one count is for all requests it is told once, and 3 is never spelled 0 (C14)", () => {
  const server = "reg.1.server.1";
  assert.deepEqual(
    polycom(
      `${server}.address="pbx.example.com"`,
      `${server}.retryMaxCount="15"`,
      `${server}.retryTimeOut="4000"`,
    ),
    [
      `warning p.cfg:4: ${server}.retryMaxCount: only 7 of 15 resends fit into the 32 s after which a ` +
        `request has failed; write ${server}.retryMaxCount="3"`,
    ],
  );
});

test("a count for all requests is judged by INVITE, whose waits double without end (C14)", () => {
  const count = (retries: number): string[] =>
    polycom('reg.1.server.1.address="a.example.com"', `reg.1.server.1.retryMaxCount="${retries}"`);
  assert.deepEqual(count(6), []);
  assert.match(
    count(7).join(),
    /only 6 of 7 resends .*; write reg\.1\.server\.1\.retryMaxCount="3"$/,
  );
});

test("where not even one resend fits, the spacing is what is to be changed, and no remedy is a fault itself (C14)", () => {
  const server = "reg.1.server.1";
  const read = (spacing: string): string[] =>
    polycom(
      `${server}.address="pbx.example.com"`,
      `${server}.retryMaxCount="1"`,
      `${server}.retryTimeOut="${spacing}"`,
    );
  const told =
    `warning p.cfg:4: ${server}.retryMaxCount: only 0 of 1 resends fit into the 32 s after which a ` +
    `request has failed; write ${server}.retryTimeOut="0"`;
  assert.deepEqual(read("65500"), [told]);
  assert.deepEqual(read("65535"), [
    told,
    `warning p.cfg:5: ${server}.retryTimeOut: 65535 is rounded to 65500, the finest step is 100; write 65500`,
  ]);
});
