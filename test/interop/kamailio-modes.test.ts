/**
 * The failback modes DNSTTL and registration of both makers at two real Kamailio 5.6 behind dnsmasq, whose records
 * live for seconds: one phone with a line in each mode, so that one death of the primary shows both ways home.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { needs } from "../support/peers.ts";
import type { SipMessage } from "../support/processes-dialtone.ts";
import { GRANTED_SECONDS, type PhoneUnderTest, TwoKamailios } from "./two-kamailios.ts";

/** Above the least time away that the phone takes, 10 s. */
const TTL_SECONDS = 12;
const LEAST_AWAY_SECONDS = 10;
/** Timers of a busy machine. */
const LATE_SECONDS = 1;

interface Maker {
  readonly name: string;
  readonly block: number;
  readonly under: PhoneUnderTest;
  /** The user of the line in each mode. */
  readonly registration: string;
  readonly dnsTtl: string;
  /** Registered at the primary when the TTL is over (re-registration on); otherwise with the next renewal. */
  readonly registers: boolean;
}

const MAKERS: readonly Maker[] = [
  {
    name: "Yealink Y3",
    block: 74,
    under: {
      example: "Y3-dns-failover.cfg",
      instead: () => ({
        "account.1.sip_server.1.failback_mode = 0": "account.1.sip_server.1.failback_mode = 2",
        "account.1.dns_cache_type = 2": ["account.1.dns_cache_type = 2", ...Y3_SECOND].join("\n"),
      }),
      user: "2003",
      password: "store-2003",
      further: { "2033": "store-2033" },
      ttlSeconds: TTL_SECONDS,
    },
    registration: "2003",
    dnsTtl: "2033",
    registers: false,
  },
  {
    name: "Polycom P2",
    block: 75,
    under: {
      example: "P2-dns-failover-duration.xml",
      instead: () => ({
        'failBack.mode="duration"': 'failBack.mode="registration"',
        "</polycomConfig>": `<reg ${P2_SECOND.join("\n")}/>\n</polycomConfig>`,
      }),
      user: "4002",
      password: "ward-4002",
      further: { "4022": "ward-4022" },
      ttlSeconds: TTL_SECONDS,
    },
    registration: "4002",
    dnsTtl: "4022",
    registers: true,
  },
];

/** A second line like the first, in mode DNSTTL. */
const Y3_SECOND: readonly string[] = [
  "enable = 1",
  "user_name = 2033",
  "auth_name = 2033",
  "password = store-2033",
  "sip_server.1.address = pbx.example.com",
  "sip_server.1.port = 0",
  "sip_server.1.transport_type = 3",
  "sip_server.1.expires = 1800",
  "sip_server.1.failback_mode = 1",
  "naptr_build = 1",
].map((line) => `account.2.${line}`);

const P2_SECOND: readonly string[] = [
  'address="4022"',
  'auth.userId="4022"',
  'auth.password="ward-4022"',
  'server.1.address="pbx.example.com"',
  'server.1.port="0"',
  'server.1.transport="DNSnaptr"',
  'server.1.failOver.reRegisterOn="1"',
  'server.1.failOver.failBack.mode="DNSTTL"',
].map((attribute) => `reg.2.${attribute}`);

/** REGISTERs of one user. */
function registers(stage: TwoKamailios, user: string, from: number): SipMessage[] {
  const sent = stage.phone.messages("sent", "REGISTER ", from);
  return sent.filter(({ text }) => new RegExp(`^From:.*sip:${user}@`, "m").test(text));
}

for (const { name, block, under, registration, dnsTtl, registers: registersAtOnce } of MAKERS) {
  describe(
    `${name}, two Kamailio, records of ${TTL_SECONDS} s`,
    needs("kamailio", "dnsmasq"),
    () => {
      let stage: TwoKamailios;
      /** Where the record of the phone stood when the primary died. */
      let died: number;
      /** When each line was registered at the secondary. */
      const arrivedAt = new Map<string, number>();

      before(async () => {
        stage = await TwoKamailios.open(block, under);
      });

      after(async () => await stage?.close());

      test("the primary killed, both lines move to the secondary", async () => {
        const { phone, primary, secondary } = stage;
        died = phone.mark;
        await primary.kill();
        for (const account of [registration, dnsTtl]) {
          const at = { account, target: secondary.target };
          arrivedAt.set(account, (await phone.event("registration.accepted", at, died)).at);
          assert.deepEqual(await stage.held(secondary, account), [stage.phoneAddress]);
        }
      });

      test("registration: in a call renewals stay at the secondary, told once; after it the next goes home", async () => {
        const { phone, primary, secondary } = stage;
        await stage.call();
        const from = phone.mark;
        await primary.start();
        const stays = { account: registration, target: secondary.target };
        for (const _ of [1, 2]) await phone.event("registration.accepted", stays, phone.mark);
        const waits = phone.all("server.failback-deferred", { account: registration }, from);
        assert.equal(waits.length, 1);
        assert.equal(waits[0]?.mode, "registration");
        assert.match(String(waits[0]?.rule), /^idleWaitMaxMs=0 \(/);
        const free = phone.mark;
        await stage.hangUp();
        const wanted = { account: registration, toTarget: primary.target, mode: "registration" };
        const back = await phone.event("server.failed-back", wanted, free);
        assert.match(String(back.rule), /^failbackMode=registration \(.*:\d+\)/);
        const first = registers(stage, registration, free)[0];
        assert.equal(first?.peer, primary.target);
        const before = registers(stage, registration, from).filter(({ index }) => index < free);
        const waited = ((first?.at ?? Number.NaN) - (before.at(-1)?.at ?? Number.NaN)) / 1000;
        assert.ok(waited < GRANTED_SECONDS / 2 + LATE_SECONDS, `${waited} s after the one before`);
        assert.deepEqual(await stage.held(primary, registration), [stage.phoneAddress]);
      });

      test("DNSTTL: home when the records of the secondary have run out, and not before", async () => {
        const { phone, primary } = stage;
        const wanted = { account: dnsTtl, toTarget: primary.target, mode: "DNSTTL" };
        const back = await phone.event("server.failed-back", wanted, died);
        assert.match(String(back.rule), /^failbackMode=DNSTTL \(.*:\d+\)/);
        const away = (back.at - (arrivedAt.get(dnsTtl) ?? Number.NaN)) / 1000;
        const renewal = registersAtOnce ? 0 : GRANTED_SECONDS / 2;
        const most = TTL_SECONDS + renewal + LATE_SECONDS;
        assert.ok(away > LEAST_AWAY_SECONDS - LATE_SECONDS && away < most, `back after ${away} s`);
        await phone.event(
          "registration.accepted",
          { account: dnsTtl, target: primary.target },
          died,
        );
        assert.deepEqual(await stage.held(primary, dnsTtl), [stage.phoneAddress]);
      });

      test("stopped, it leaves no binding at the primary", async () => {
        assert.equal(await stage.phone.stop(), 0);
        for (const user of [registration, dnsTtl]) {
          assert.deepEqual(await stage.held(stage.primary, user), []);
        }
        assert.equal(await stage.callee.stop(), 0);
      });
    },
  );
}
