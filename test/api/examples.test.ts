/** The guide's programs are those of examples/api, and do what the guide says, as processes on loopback. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { SAMPLE_RATE, tone } from "../../src/core/media/tones.ts";
import { readWav, writeWav } from "../../src/core/media/wav.ts";
import { Household, type Running } from "../support/processes.ts";
import { secondsOfTone } from "../support/tones.ts";

const root = join(import.meta.dirname, "..", "..", "..");
const EXAMPLES = join(root, "examples", "api");

let household: Household;
before(async () => {
  household = await Household.open(62);
});
after(async () => await household?.close());

const run = (name: string, args: readonly string[]): Running =>
  household.spawn(name, process.execPath, [join(EXAMPLES, name), ...args]);

for (const name of ["bot.mjs", "call.mjs", "registrar.mjs", "pbx.test.mjs"]) {
  test(`docs/api.md shows examples/api/${name} as it is`, () => {
    const guide = readFileSync(join(root, "docs", "api.md"), "utf8");
    const program = readFileSync(join(EXAMPLES, name), "utf8");
    assert.ok(guide.includes(`\`\`\`js\n${program}\`\`\``));
  });
}

test("the bot registers at the registrar, is called, echoes keys, and is heard", async () => {
  const registrar = run("registrar.mjs", [`udp:${household.address(13)}:0`]);
  const server = /udp:\S+/.exec(await registrar.line(/^listening at/))?.[0] as string;
  const account = (user: string, password: string): string[] => [
    ...["--server", server, "--user", user, "--password", password],
    ...["--domain", "example.com", "--bind", household.address(20)],
  ];
  const bot = run("bot.mjs", account("2001", "desk-2001"));
  await bot.line(/^registered at udp:.* for 600 s$/);
  await registrar.line(/^2001@example\.com is at sip:2001@/);

  const [spoken, heard] = [household.path("spoken.wav"), household.path("heard.wav")];
  const samples = new Int16Array(SAMPLE_RATE);
  tone(700).read(samples);
  writeFileSync(spoken, writeWav(samples));
  const call = run("call.mjs", [...account("2002", "hall-2002"), "2001", spoken, heard]);
  // A second is spoken; a machine that stands still meanwhile makes the call longer.
  await call.line(/^[1-9]\d* s, \d+ packets heard, kept in /);
  await call.exited;
  assert.equal(call.exitCode, 0);
  await bot.line(/^sip:2002@example\.com calls$/);
  await bot.line(/^key 1$/);
  await bot.line(/^over after [1-9]\d* s: peer-hung-up$/);
  const audio = readWav(readFileSync(heard));
  assert.ok(audio.kind === "audio" && audio.samples.length > SAMPLE_RATE / 2);
  assert.ok(secondsOfTone(audio.samples, 440) > (0.5 * audio.samples.length) / SAMPLE_RATE);

  const nobody = run("call.mjs", [...account("2002", "hall-2002"), "2999"]);
  await nobody.line(/^2999: rejected$/);
  await nobody.exited;
  assert.equal(nobody.exitCode, 1);

  bot.signal("SIGINT");
  await bot.exited;
  assert.equal(bot.exitCode, 0);
  await registrar.line(/^2001@example\.com is gone$/);
  registrar.signal("SIGTERM");
  await registrar.exited;
  assert.equal(registrar.exitCode, 0);
});

test("a PBX on dialtone/core is tested in virtual time", async () => {
  // A test runner inside a test would report to the outer one.
  const example = household.spawn("pbx", "env", [
    ...[
      "-u",
      "NODE_TEST_CONTEXT",
      process.execPath,
      "--test",
      "--test-reporter=tap",
      join(EXAMPLES, "pbx.test.mjs"),
    ],
  ]);
  await example.exited;
  assert.equal(example.exitCode, 0, example.lines.join("\n"));
  assert.ok(example.lines.includes("# pass 2"));
});
