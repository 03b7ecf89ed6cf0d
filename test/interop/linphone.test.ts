/**
 * linphone-cli 5.1 at our server over UDP, TCP and TLS: it registers with digest, calls our phone and is called by it,
 * both are heard, and it unregisters.
 */
import { after, before, describe, test } from "node:test";
import { Linphone } from "../support/linphone.ts";
import { needs } from "../support/peers.ts";
import {
  AUTHORITY,
  ServerAndPhone,
  THEIR_ACCOUNT,
  THEIRS_HERTZ,
  type Visitor,
} from "./server-and-phone.ts";

describe("linphone at our server", needs("linphonec", "tshark"), () => {
  let stage: ServerAndPhone;

  before(async () => {
    stage = await ServerAndPhone.open(65);
  });

  after(async () => await stage?.close());

  for (const transport of ["udp", "tcp", "tls"] as const) {
    test(`over ${transport} it registers, calls, is called, and leaves no binding`, async () => {
      const { household, server } = stage;
      const from = server.mark;
      const linphone = await Linphone.start(household, `linphone-${transport}`, {
        ...{ ...THEIR_ACCOUNT, address: household.address(20), authority: AUTHORITY },
        ...{ server: stage.uri(transport), hertz: THEIRS_HERTZ },
      });
      // It connects from whatever address the system gives it.
      const source = new RegExp(`^${transport}:`);
      await server.event("binding.added", { aor: /3001/, source }, from);
      await stage.isVisited(visitorOf(linphone));
      linphone.command("unregister");
      await server.event("binding.removed", { aor: /3001/ }, from);
      await linphone.quit();
    });
  }

  test("tshark found nothing malformed in any of it", async () => {
    await stage.assertClean({ sip: 81, rtp: 301, sipOverTls: 11 });
  });
});

function visitorOf(linphone: Linphone): Visitor {
  const { process } = linphone;
  return {
    get mark() {
      return linphone.mark;
    },
    dial: (uri) => linphone.command(`call ${uri}`),
    answer: () => linphone.command("answer"),
    hangUp: () => linphone.command("terminate"),
    speak: () => linphone.speak(),
    established: (from) => process.line(/Media streams established/, from),
    rings: (from) => process.line(/Receiving new incoming call/, from),
    ended: (from) => process.line(/Call \d+ with .* ended/, from),
    hears: (hertz, seconds) => linphone.hears(hertz, seconds),
    heard: () => linphone.heard(),
  };
}
