/** A phone that subscribes to its waiting messages (RFC 3842), and whoever tells a server of them. */
import {
  type MessageSummary,
  parseMessageSummary,
} from "../../../src/core/dialog/subscription-summary.ts";
import type { Messages } from "../../../src/core/server/message-summary.ts";
import { TestPhone } from "./test-phone.ts";
import type { Host, Town } from "./town.ts";

export function watcher(town: Town, server: string, user = "alice"): TestPhone {
  const phone = new TestPhone(town, `udp:10.0.1.${town.places.size}:5060`, user);
  phone.answer = () => 200;
  phone.send(server, "SUBSCRIBE", `sip:${user}@example.com`, {
    callId: `sub-${phone.place}`,
    lines: ["Event: message-summary", "Accept: application/simple-message-summary"],
  });
  town.pass(20);
  return phone;
}

/** Whether that is kept; undefined: nobody has said. */
export function deposit(host: Host, messages: Messages, user = "alice"): boolean | undefined {
  let kept: boolean | undefined;
  host.run((now) =>
    host.server.setMessages(now, user, messages, (done) => {
      kept = done;
    }),
  );
  host.town.pass(20);
  return kept;
}

/** What each NOTIFY has said, undefined: nothing. */
export function told(phone: TestPhone): (MessageSummary | undefined)[] {
  return phone.requests.map(({ body }) => parseMessageSummary(body));
}

/** The new messages that each NOTIFY has told of; undefined: nothing. */
export function lamps(phone: TestPhone): (number | undefined)[] {
  return told(phone).map((summary) => summary?.voice?.new);
}
