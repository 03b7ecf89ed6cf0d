/** What a phone is made of, as plain JavaScript may give it; and one that is only made. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { ConfigurationError, Phone, type PhoneOptions } from "../../src/index.ts";

/** The faults of a phone with these options, as `key: wrong`. */
function faultsOf(options: object): string[] {
  try {
    new Phone({ user: "1", servers: "h", ...options });
  } catch (error) {
    assert(error instanceof ConfigurationError, String(error));
    assert.ok(error.faults.every(({ remedy }) => remedy.startsWith("give ")));
    return error.faults.map(({ key, wrong }) => `${key}: ${wrong}`);
  }
  return [];
}

test("what plain JavaScript lets through is told as a fault, too: wrong words, kinds and items", () => {
  assert.deepEqual(faultsOf({ user: 2001, password: 5, displayName: null, register: "no" }), [
    "accounts.1.user: 2001 is no user",
    'accounts.1.register: cannot be "no"',
    "accounts.1.password: cannot be 5",
    "accounts.1.displayName: cannot be null",
  ]);
  const account = { presenceOf: [2001], colleagues: "2002", sessionRefresher: "me" };
  assert.deepEqual(faultsOf({ ...account, watchExpiresSeconds: 60, subscribeOverlapSeconds: -1 }), [
    "accounts.1.presenceOf: cannot be 2001",
    'accounts.1.colleagues: cannot be "2002"',
    'accounts.1.sessionRefresher: cannot be "me"',
    "accounts.1.subscribeOverlapSeconds: cannot be -1",
  ]);
  const redundancy = { registration: "both", backoff: { kind: "fixed" }, failoverStatuses: [42] };
  assert.deepEqual(faultsOf({ redundancy: { ...redundancy, refreshJitter: 2, dns: 5 } }), [
    'accounts.1.redundancy.registration: cannot be "both"',
    "accounts.1.redundancy.backoff: cannot be [object Object]",
    "accounts.1.redundancy.failoverStatuses: cannot be 42",
    "accounts.1.redundancy.refreshJitter: cannot be 2",
    "accounts.1.redundancy.dns: cannot be 5",
  ]);
  const strange = [{ address: "h", transport: "sctp", registerRetries: 2.5 }, null, 5];
  assert.deepEqual(faultsOf({ servers: strange }), [
    'accounts.1.servers.1.transport: cannot be "sctp"',
    "accounts.1.servers.1.registerRetries: cannot be 2.5",
    "accounts.1.servers.2: null is no server",
    "accounts.1.servers.3: 5 is no server",
  ]);
  assert.deepEqual(faultsOf({ accounts: null }).slice(-1), ["accounts: is no list"]);
  const settings = { bind: 5, dns: [5, "x:y"], trace: "yes", userAgent: "a\r\nb", instance: "<x>" };
  assert.deepEqual(faultsOf({ ...settings, servers: [] }), [
    "bind: 5 is no address",
    "dns: 5 is no resolver",
    'dns: "x:y" is no resolver',
    'trace: cannot be "yes"',
    'userAgent: cannot be "a\\r\\nb"',
    'instance: cannot be "<x>"',
    "accounts.1.servers: is empty",
  ]);
  for (const nothing of [{}, { accounts: [null] }] as unknown as PhoneOptions[]) {
    assert.throws(() => new Phone(nothing), ConfigurationError);
  }
});

test("what stands in the wrong place or is misspelt is told with the keys that there are", () => {
  const remedyOf = (options: object): string => {
    try {
      new Phone({ user: "1", servers: "h", ...options });
    } catch (error) {
      if (error instanceof ConfigurationError) return error.message;
    }
    return "none";
  };
  assert.match(
    remedyOf({ server: "h" }),
    /accounts\.1\.server: is not known; .* servers, .* bind,/,
  );
  assert.match(remedyOf({ redundancy: { dsn: {} } }), /redundancy\.dsn: is not known; .* dns,/);
  assert.match(remedyOf({ redundancy: { proxies: [] } }), /redundancy\.proxies: is not known/);
  const accounts = [{ user: "1", servers: "h" }];
  assert.match(remedyOf({ accounts }), /user: contradicts accounts; give it in each of them/);
  assert.deepEqual(faultsOf({ servers: { adress: "h" } }), [
    "accounts.1.servers.1.address: undefined is no host",
    "accounts.1.servers.1.adress: is not known",
  ]);
});

test("a phone that was made and never started holds nothing", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const made = (() => new WeakRef(new Phone({ user: "1", servers: "h" })))();
  await setImmediate();
  collect();
  assert.equal(made.deref(), undefined);
});
