/** The town that the lab puts up for somebody's provisioning files. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { groundsOf } from "../../src/apps/explain/grounds.ts";
import { townOfFiles } from "../../src/apps/lab/file-town.ts";
import { StageFault } from "../../src/apps/scenario/stage.ts";
import { defaultAccount, defaultPolicy } from "../../src/core/redundancy/policy-defaults.ts";

const told = (server: string): (() => unknown) => {
  const account = defaultAccount("2001", defaultPolicy(server));
  return () => townOfFiles([], groundsOf(account, { targets: 1 }));
};

test("localhost never goes to the DNS, so that no server of the lab can stand in for it: the file is refused", () => {
  assert.throws(told("localhost"), (error: Error) => {
    assert.ok(error instanceof StageFault);
    assert.match(error.message, /^localhost is always this machine .*write another name/);
    return true;
  });
  assert.doesNotThrow(told("pbx.example.com"));
});
