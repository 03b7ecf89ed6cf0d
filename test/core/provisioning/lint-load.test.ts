/** What a fleet is told: what there is to write against a storm ends it, and where nothing does it is said. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readConfiguration } from "../../../src/core/provisioning/read.ts";

/** What many phones of such a file are told, as code and remedy. */
const told = (lines: readonly string[], phones: number): string[][] => {
  const text = ["#!version:1.0.0.1", "account.1.enable = 1", "account.1.user_name = 1", ...lines];
  const { faults: found } = readConfiguration([{ name: "y.cfg", text: text.join("\n") }], {
    phones,
  });
  return found.map(({ code, remedy }) => [`${code}`, remedy]);
};

const pair = (phones: number, ...lines: string[]): string[][] =>
  told(
    [
      "account.1.sip_server.1.address = a.example.com",
      "account.1.sip_server.2.address = b.example.com",
      ...lines,
    ],
    phones,
  );

test("what is to be written against a storm ends it, and is no other trap", () => {
  for (const [phones, ...lines] of [
    [1000],
    [1000, "account.1.fallback.redundancy_type = 1", "account.1.sip_server.1.expires = 30"],
    [1500, "account.1.fallback.redundancy_type = 1", "account.1.fallback.timeout = 10"],
    [1700, "account.1.fallback.redundancy_type = 1", "account.1.sip_server.2.expires = 40"],
    [900, "account.1.sip_server.1.expires = 30", "account.1.sip_server.2.expires = 60"],
    [900, "account.1.reg_failed_retry_min_time = 10", "account.1.reg_failed_retry_max_time = 20"],
  ] as readonly (readonly [number, ...string[]])[]) {
    const first = pair(phones, ...lines);
    assert.ok(first.length > 0, lines.join());
    const written = first.flatMap(([, remedy]) =>
      [...(remedy ?? "").matchAll(/write (\S+ = \d+)/g)].map((match) => `${match[1]}`),
    );
    const kept = lines.filter((line) =>
      written.every((other) => other.split(" = ")[0] !== line.split(" = ")[0]),
    );
    assert.deepEqual(pair(phones, ...kept, ...written), [], [phones, ...lines, ...written].join());
  }
});

test("where no value of a key ends a storm that is said, with what does", () => {
  const successive = "account.1.fallback.redundancy_type = 1";
  const surge = (seconds: number): string => `sip.reg_surge_prevention = ${seconds}`;
  const rare = ["account.1.fallback.timeout = 3000", "account.1.sip_server.1.expires = 86400"];
  const waiting = "account.1.reg_fail_retry_interval = 1800";
  assert.deepEqual(pair(5000, successive, ...rare, waiting, surge(60)), [
    [
      "start-storm",
      "sip.reg_surge_prevention has no greater value that ends this: start the phones in 3 groups",
    ],
  ]);
  assert.deepEqual(pair(5000, successive, ...rare, waiting), [
    [
      "start-storm",
      "write sip.reg_surge_prevention = 60, the most there is, and start the phones in 3 groups",
    ],
  ]);
  assert.deepEqual(
    pair(100_000, successive, ...rare, waiting).filter(([code]) => code === "retry-storm"),
    [
      [
        "retry-storm",
        "account.1.reg_fail_retry_interval has no greater value that ends this: divide the phones over 2 " +
          "times as many servers",
      ],
    ],
  );
  assert.deepEqual(
    pair(2_000_000, successive, ...rare).filter(([code]) => code === "refresh-storm"),
    [
      [
        "refresh-storm",
        "no lifetime up to a day ends this: divide the phones over 2 times as many servers",
      ],
    ],
  );
});

test("the probe's interval and the lifetime at server 2 are never told against one another", () => {
  const lines = [
    "account.1.fallback.redundancy_type = 1",
    "sip.reg_surge_prevention = 60",
    "account.1.reg_fail_retry_interval = 300",
    "account.1.sip_server.2.expires = 120",
  ];
  const of = (timeout: number): string[][] =>
    pair(5000, ...lines, `account.1.fallback.timeout = ${timeout}`).filter(([code]) =>
      code?.startsWith("probe"),
    );
  const lifetime = "write account.1.sip_server.2.expires = 1500";
  assert.deepEqual(of(60), [
    ["probe-storm", `write account.1.fallback.timeout = 150 or more, and ${lifetime}`],
  ]);
  assert.deepEqual(of(150), [["probe-against-expiry", lifetime]]);
});
