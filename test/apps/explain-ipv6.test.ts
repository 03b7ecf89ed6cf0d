/** What `dialtone explain` foretells of servers that are IPv6 addresses. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ruleTeller } from "../../src/api/rule-teller.ts";
import { forecast } from "../../src/apps/explain/predict.ts";
import { forecastLines } from "../../src/apps/explain/print.ts";
import { readConfiguration } from "../../src/core/provisioning/read.ts";

test("servers named by IPv6 addresses, without a domain, are as well as others", () => {
  const calls = ["192.0.2.1 192.0.2.2", "2001:db8::1 2001:db8::2"].map((addresses) => {
    const servers = addresses.split(" ").map((one) => `{ address: "${one}", port: 5060 }`);
    const text = `accounts:\n  - user: "2001"\n    servers: [${servers.join(", ")}]\n`;
    const configuration = readConfiguration([{ name: "phone.yaml", text }]);
    const [account] = configuration.accounts;
    assert(account !== undefined);
    const rule = ruleTeller(configuration);
    const seen = forecast({ account, rule, targets: 2, phases: 2, seed: 7 });
    return [
      seen.predictions.map(({ firstCall, unreachable }) => [firstCall, unreachable]),
      forecastLines(seen).find((line) => line.includes("server 1: ")),
    ] as const;
  });
  assert.deepEqual(calls[1]?.[0], calls[0]?.[0]);
  assert.match(calls[1]?.[1] ?? "", /server 1: \[2001:db8::1\]:5060 over/);
});
