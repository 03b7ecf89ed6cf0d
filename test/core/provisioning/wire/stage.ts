/** A phone that was read from a file, played through a day of failures, and all that it sent: what keys are told by. */
import assert from "node:assert/strict";
import { dnsPatienceMs } from "../../../../src/apps/sim/phone-config.ts";
import { readConfiguration } from "../../../../src/core/provisioning/read.ts";
import type { AccountPolicy } from "../../../../src/core/redundancy/policy.ts";
import { SubscriptionStage } from "../../phone/subscription-notifier.ts";
import { Rehearsal, type RehearsalOptions } from "../../redundancy/rehearsal.ts";
import { says } from "../../redundancy/scripted-server.ts";

export type Lines = Readonly<Record<string, string>>;

/** One key, with what only a phone without it sends, and what only one with it sends. */
export interface WireRow {
  /** As in the table. */
  readonly key: string;
  readonly value: string;
  /** Lines beside it; a blank one takes a line of the base away. */
  readonly beside?: Lines;
  readonly play: PlayName;
  /** "": nothing that the other does not send, too. */
  readonly without: string;
  readonly with: string;
}

export type PlayName =
  | "calm"
  | "silence"
  | "renewal"
  | "desolation"
  | "midcall"
  | "nobody"
  | "challenge"
  | "challenger"
  | "refusal"
  | "unavailable"
  | "unnamed"
  | "letters"
  | "moving letters"
  | "refused letters";

type Play = (stage: Rehearsal) => void;

/** The days. Times are seconds after the start of the phone, or after the failure where there is one. */
const PLAYS: Readonly<Record<Exclude<PlayName, `${string}letters`>, Play>> = {
  /** All is well for an hour; two calls at the beginning. */
  calm: (stage) => {
    stage.start().until(10);
    callFor(stage, 5);
    callFor(stage, 5);
    stage.until(4100);
  },
  /** The primary falls silent, and somebody dials, and again; it comes back, and an hour later somebody dials. */
  silence: (stage) => {
    stage.start().until(70).cut("primary").zero();
    callFor(stage, 20);
    stage.until(200);
    callFor(stage, 20);
    stage.until(400).revive("primary").until(4000);
    callFor(stage, 20);
    stage.until(4100);
  },
  /** The primary falls silent, and nobody dials. */
  renewal: (stage) => stage.start().until(70).cut("primary").until(4100),
  /** Nobody is left but the fallback and the second proxy. */
  desolation: (stage) => {
    stage.start().until(70).cut("primary", "secondary", "proxy1").zero();
    callFor(stage, 20);
    stage.until(200);
    callFor(stage, 20);
    stage.until(4100);
  },
  /** A call is up when the server falls silent; when the phone has registered elsewhere the call is held. */
  midcall: (stage) => {
    stage.start().until(10);
    stage.do(() => stage.phone.call("2099"));
    stage.until(20).cut("primary", "proxy1").until(100).zero();
    stage.do((now) => stage.phone.hold(now)).until(40);
  },
  /** Nobody answers from the start. */
  nobody: (stage) =>
    stage.cut("primary", "secondary", "fallback", "proxy1", "proxy2").start().until(3000),
  /** Every server asks for a password. */
  challenge: (stage) => {
    for (const name of ["primary", "secondary", "fallback"] as const) {
      const server = stage.server(name);
      server.habits["*"] = (request) =>
        request.headers.get("authorization") === undefined
          ? [{ status: 401, headers: { "www-authenticate": CHALLENGE } }]
          : server.yes(request);
    }
    stage.start().until(20);
    callFor(stage, 10);
  },
  /** Calls fail over from the primary to a secondary that asks for a password; the primary is back for the second. */
  challenger: (stage) => {
    const server = stage.server("secondary");
    server.habits.INVITE = (request) =>
      request.headers.get("proxy-authorization") === undefined
        ? [{ status: 407, headers: { "proxy-authenticate": CHALLENGE } }]
        : server.yes(request);
    stage.start().until(70).cut("primary").zero();
    callFor(stage, 20);
    stage.until(30).revive("primary").until(40);
    callFor(stage, 10);
  },
  /** The primary refuses to register. */
  refusal: (stage) => {
    stage.server("primary").habits.REGISTER = says(404);
    stage.start().until(200);
  },
  /** The primary answers calls with 503. */
  unavailable: (stage) => {
    stage.server("primary").habits.INVITE = says(503);
    stage.start().until(70).zero();
    callFor(stage, 10);
  },
  /** No resolver ever answers. */
  unnamed: (stage) => {
    stage.dns.state = "silent";
    stage.start().until(100).cut("primary").zero();
    callFor(stage, 20);
    stage.until(400);
    callFor(stage, 20);
    stage.until(1000);
  },
};

/** The same among servers that know of letters. */
const LETTERS: Readonly<Record<`${string}letters` & PlayName, (stage: SubscriptionStage) => void>> =
  {
    letters: (stage) => void stage.start().until(4100),
    /** The primary falls silent. */
    "moving letters": (stage) => {
      stage.start().until(70).rehearsal.cut("primary", "proxy1");
      stage.until(4100);
    },
    /** The first SUBSCRIBE is refused. */
    "refused letters": (stage) => {
      let refused = 0;
      stage.notifier("primary").habit = () => (refused++ === 0 ? { status: 500 } : undefined);
      stage.start().until(4100);
    },
  };

const CHALLENGE = 'Digest realm="lab", nonce="n1", algorithm=MD5, qop="auth"';

function callFor(stage: Rehearsal, seconds: number): void {
  stage.do(() => stage.phone.call("2099"));
  stage.simulation.runUntil(stage.simulation.now + seconds * 1000);
  stage.do((now) => stage.phone.hangup(now));
}

/** All that the phone sends, with the second and the place before each, each on a line of its own. */
export function wireOf(text: string, play: PlayName): string {
  const configuration = readConfiguration([{ name: "phone.cfg", text }]);
  const { accounts, localPort } = configuration;
  assert.ok(accounts.length > 0, text);
  const enabled = accounts.filter((account) => account.enabled);
  const port = localPort > 0 ? { localPort } : {};
  const options = { zone: ZONE, dnsPatienceMs: dnsPatienceMs(accounts), ...port };
  return `\n${wireOfPlay(enabled, options, play).join("\n")}`;
}

function wireOfPlay(
  accounts: readonly AccountPolicy[],
  options: RehearsalOptions,
  play: PlayName,
): readonly string[] {
  if (play === "letters" || play === "moving letters" || play === "refused letters") {
    const stage = new SubscriptionStage(accounts, options);
    LETTERS[play](stage);
    return stage.rehearsal.wire;
  }
  const stage = new Rehearsal(accounts, options);
  PLAYS[play](stage);
  return stage.wire;
}

/** `pbx`: NAPTR and SRV; `dual`: two addresses; `edge`: a proxy; `bare`: SRV over TCP only; `twice`: one host twice. */
const ZONE = `
$ORIGIN example.com.
pbx          60 IN NAPTR 100 50 "s" "SIP+D2U" "" _sip._udp.pbx.example.com.
_sip._udp.pbx 60 IN SRV 10 60 5060 a.pbx
_sip._udp.pbx 60 IN SRV 20 40 5060 b.pbx
a.pbx        60 IN A 192.0.2.13
b.pbx        60 IN A 192.0.2.14
dual.pbx     60 IN A 192.0.2.13
dual.pbx     60 IN A 192.0.2.14
edge         60 IN A 192.0.2.33
edge         60 IN A 192.0.2.34
_sip._tcp.bare 60 IN SRV 10 60 5060 a.pbx
bare         60 IN A 192.0.2.14
_sip._udp.twice 60 IN SRV 10 60 5060 a.pbx
_sip._udp.twice 60 IN SRV 20 60 5070 a.pbx
_sip._udp.twice 60 IN SRV 30 60 5060 b.pbx
`;
