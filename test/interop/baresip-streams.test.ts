/**
 * baresip 1.0 at our server over TCP and TLS: it registers with digest, calls our phone and is called by it, both are
 * heard, and it unregisters. (UDP: baresip.test.ts.)
 */
import { after, before, describe, test } from "node:test";
import { Baresip } from "../support/baresip.ts";
import { needs } from "../support/peers.ts";
import {
  AUTHORITY,
  ServerAndPhone,
  THEIR_ACCOUNT,
  THEIRS_HERTZ,
  type Visitor,
} from "./server-and-phone.ts";

describe("baresip at our server over connections", needs("baresip", "tshark"), () => {
  let stage: ServerAndPhone;

  before(async () => {
    stage = await ServerAndPhone.open(66);
  });

  after(async () => await stage?.close());

  for (const transport of ["tcp", "tls"] as const) {
    test(`over ${transport} it registers, calls, is called, and leaves no binding`, async () => {
      const { household, server } = stage;
      const from = server.mark;
      const baresip = await Baresip.start(household, {
        ...{ ...THEIR_ACCOUNT, name: `baresip-${transport}`, address: household.address(20) },
        ...{ authority: AUTHORITY, hertz: THEIRS_HERTZ },
        parameters: `;outbound="${stage.uri(transport)}"`,
      });
      const source = new RegExp(`^${transport}:`);
      await server.event("binding.added", { aor: /3001/, source }, from);
      await stage.isVisited(visitorOf(baresip));
      await baresip.process.stop();
      await server.event("binding.removed", { aor: /3001/ }, from);
    });
  }

  test("tshark found nothing malformed in any of it", async () => {
    await stage.assertClean({ sip: 51, rtp: 201, sipOverTls: 11 });
  });
});

function visitorOf(baresip: Baresip): Visitor {
  return {
    get mark() {
      return baresip.mark;
    },
    dial: (uri) => baresip.command("dial", uri),
    answer: () => baresip.command("accept"),
    hangUp: () => baresip.command("hangup"),
    // It does by itself.
    speak() {},
    established: (from) => baresip.event("CALL_ESTABLISHED", from),
    rings: (from) => baresip.event("CALL_INCOMING", from),
    ended: (from) => baresip.event("CALL_CLOSED", from),
    hears: (hertz, seconds) => baresip.hears(hertz, seconds),
    heard: () => baresip.heard(),
  };
}
