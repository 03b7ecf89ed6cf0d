/** The phone's own page, in Chromium: a real phone at a real server, used by what a person sees. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { bundlePage, openBrowser } from "../support/browser.ts";
import { needs } from "../support/peers.ts";
import { Household, type Running } from "../support/processes.ts";
import { CLI, Dialtone } from "../support/processes-dialtone.ts";

describe("dialtone phone --http", () => {
  let household: Household;

  before(async () => {
    household = await Household.open(57);
  });

  after(() => household.close());

  const server = (): Promise<Dialtone> => started("server", serving());

  function serving(): string[] {
    const listen = ["--listen", `udp:${household.address(13)}:5060`];
    return ["serve", ...listen, "--domain", "example.com", "--open"];
  }

  async function started(name: string, args: readonly string[]): Promise<Dialtone> {
    const program = new Dialtone(household, name, args);
    await program.event(args[0] === "serve" ? "server.started" : "phone.started");
    return program;
  }

  function phone(user: string, last: number, ...more: readonly string[]): string[] {
    const file = household.path(`${user}.yaml`);
    const place = (host: number): string =>
      `      - { address: ${household.address(host)}, port: 5060, transport: udp }\n`;
    const lines = [
      `accounts:\n  - user: "${user}"\n    domain: example.com\n    colleagues: "2003"\n`,
      `    servers:\n${place(13)}${place(15)}`,
    ];
    writeFileSync(file, lines.join(""));
    const bind = ["--bind", household.address(last), "--port", "5060", "--answer", "ring"];
    return ["phone", "--config", file, ...bind, ...more];
  }

  function invitation(running: Running): Promise<string> {
    return running.until("the address of its page", () =>
      running.lines.map((line) => /^handset: (\S+)/.exec(line)?.[1]).find(Boolean),
    );
  }

  test(
    "dial on the keys, hold, hang up, answer, send a digit; its decisions are told",
    needs("chromium"),
    async (t) => {
      bundlePage();
      const first = await server();
      const bob = await started("bob", phone("2003", 22));
      await bob.event("registration.accepted");
      const http = ["--http", `${household.address(21)}:0`];
      const alice = await started("alice", phone("2001", 21, ...http));
      const browser = await openBrowser();
      t.after(() => browser.close());
      const { page, complaints } = browser;
      await page.goto(await invitation(alice.process));
      const call = (state: string): Promise<void> =>
        page.getByRole("article", { name: `Call ${state}`, exact: true }).waitFor();
      const press = (name: string): Promise<void> =>
        page.getByRole("button", { name, exact: true }).click();
      await page.getByRole("article", { name: "2001, registered at server 1" }).waitFor();
      // The token is out of sight.
      assert.equal(new URL(page.url()).hash, "");
      await page.getByText("2003 idle").waitFor();

      for (const digit of "2003") await press(digit);
      await press("Call");
      await call("ringing");
      bob.command({ do: "answer" });
      await call("talking");
      await page.getByText("2003 busy").waitFor();
      await press("Hold");
      await call("held");
      await bob.event("call.held", { by: "peer" });
      await press("Resume");
      await call("talking");
      await press("Hang up");
      await page.getByText("No call.").waitFor();

      bob.command({ do: "call", to: "2001" });
      await call("ringing");
      await press("Answer");
      await call("talking");
      await press("5");
      await bob.event("call.key-pressed", { key: "5" });
      await page.getByLabel("Number or address").fill("2099");
      await press("Transfer");
      await bob.event("call.referred", { to: /2099/ });
      await alice.event("call.transfer-failed", { why: "rejected" });
      await call("talking");
      await press("Hang up");
      await page.getByText("No call.").waitFor();

      await page.getByLabel("Number or address").fill("<no number>");
      await press("Call");
      await page.getByRole("status").getByText('"<no number>" cannot be dialled').waitFor();

      first.process.signal("SIGKILL");
      await page.getByLabel("Number or address").fill("2003");
      await press("Call");
      await page
        .getByText(/attempt\.failed/)
        .first()
        .waitFor();
      assert.deepEqual(
        complaints.filter((text) => !/\b400\b/.test(text)),
        [],
      );
      for (const program of [alice, bob]) await program.stop();
    },
  );

  test("a key calls the box that the lamp tells of", needs("chromium"), async (t) => {
    bundlePage();
    const users = household.path("users.yaml");
    writeFileSync(users, '"2005": {password: desk-2005, voicemail: "500"}\n');
    const place = household.address(14);
    const listen = ["--listen", `udp:${place}:5060`, "--domain", "example.com"];
    const boxes = new Dialtone(household, "boxes", ["serve", ...listen, "--users", users]);
    await boxes.event("voicemail.started");
    const file = household.path("2005.yaml");
    const lines = [
      'accounts:\n  - user: "2005"\n    password: desk-2005\n    domain: example.com',
      `    message-waiting: yes\n    servers:\n      - { address: ${place}, port: 5060 }\n`,
    ];
    writeFileSync(file, lines.join("\n"));
    const flags = ["--bind", household.address(25), "--http", `${household.address(25)}:0`];
    const desk = await started("desk", ["phone", "--config", file, ...flags]);
    const browser = await openBrowser();
    t.after(() => browser.close());
    const { page, complaints } = browser;
    await page.goto(await invitation(desk.process));
    await page.getByRole("button", { name: "Messages", exact: true }).click();
    await page.getByRole("article", { name: "Call talking", exact: true }).waitFor();
    await desk.event("call.heard", { peer: "sip:500@example.com" });
    await page.getByText("No call.").waitFor();
    await desk.event("call.ended", { why: "peer-hung-up" });
    assert.deepEqual(complaints, []);
    await desk.stop();
    await boxes.stop();
  });

  test("nobody without the token presses a key, and none of its keys breaks the network", async () => {
    const alone = await started("alone", phone("2005", 25, "--http", `${household.address(25)}:0`));
    const [address = "", token = ""] = (await invitation(alone.process)).split("#");
    const press = async (body: unknown, bearer: string): Promise<string> => {
      const headers = { "content-type": "application/json", authorization: `Bearer ${bearer}` };
      const asked = { method: "POST", headers, body: JSON.stringify(body) };
      const response = await fetch(`${address}command`, asked);
      return `${response.status} ${await response.text()}`;
    };
    assert.match(await press({ do: "hangup" }, "guess"), /^401 /);
    assert.match(await press({ do: "drop" }, token), /^400 .*say what to do: call, /);
    assert.match(await press({ do: "stop" }, token), /^400 /);
    assert.match(await press({ do: "call", to: "1", account: "77" }, token), /^400 .*no account/);
    assert.match(await press({ do: "hangup" }, token), /^200 /);
    assert.equal(alone.all("command.obeyed").length, 1);
    await alone.stop();
  });

  test("where the address of the page cannot be had, it says so and ends with status 3", async () => {
    const taken = await started("taken", phone("2006", 26, "--http", `${household.address(26)}:0`));
    const { host } = new URL(await invitation(taken.process));
    const late = household.spawn("late", process.execPath, [
      CLI,
      ...phone("2007", 27, "--http", host),
    ]);
    await late.exited;
    assert.equal(late.exitCode, 3);
    assert.match(late.lines.join("\n"), new RegExp(`tcp:${host}: cannot be had .*--http`));
    await taken.stop();
  });
});
