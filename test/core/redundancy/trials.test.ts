/** A trial of the way home, and what is waited for meanwhile. */
import { test } from "node:test";
import { failover } from "./stages.ts";

test("a trial that fails puts off no retry: who is registered nowhere comes back to the secondary (999537)", () => {
  const policy = { backoff: { kind: "fixed", intervalMs: 45_000 }, keepAliveMs: 0 } as const;
  const server = { failbackMode: "DNSTTL", expiresSeconds: 60, overlapSeconds: 50 } as const;
  const stage = failover(server, policy, {
    methods: ["REGISTER"],
    events: ["registration.failed"],
  });
  stage.cut("primary").start().until(10).zero();
  stage
    .cut("secondary")
    .until(60)
    .revive("secondary")
    .until(100)
    .expect(`
    7.5 REGISTER → secondary
    8.0 REGISTER ↻ secondary
    9.0 REGISTER ↻ secondary
    11.0 REGISTER ↻ secondary
    15.0 REGISTER → primary
    15.5 REGISTER ↻ primary
    16.5 REGISTER ↻ primary
    18.5 REGISTER ↻ primary
    22.5 REGISTER ↻ primary
    26.5 REGISTER ↻ primary
    30.5 REGISTER ↻ primary
    34.5 REGISTER ↻ primary
    38.5 REGISTER ↻ primary
    42.5 REGISTER ↻ primary
    46.5 REGISTER ↻ primary
    47.0 * registration.failed server=1 target=secondary why=timeout status=undefined
    50.0 REGISTER → primary
    50.5 REGISTER ↻ primary
    51.5 REGISTER ↻ primary
    53.5 REGISTER ↻ primary
    92.0 REGISTER → secondary
    92.0 200 ← secondary
  `);
});
