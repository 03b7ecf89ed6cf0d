/** One damaged message through all that reads and prints: nothing may throw, nor print what it cannot read. */
import assert from "node:assert/strict";
import { cseqOf } from "../../src/core/message/cseq.ts";
import { parseRetryAfter } from "../../src/core/message/delta.ts";
import { challengesOf, parseChallenges, parseCredentials } from "../../src/core/message/digest.ts";
import type { Message } from "../../src/core/message/message.ts";
import { contactsOf, fromOf, nameAddrsOf, toOf } from "../../src/core/message/name-addr.ts";
import { parseMessage } from "../../src/core/message/parse.ts";
import { ackFor, cancelFor, printMessage, responseTo } from "../../src/core/message/print.ts";
import { tokensOf } from "../../src/core/message/token-list.ts";
import { addressOfRecord, parseUri, printUri, sameUriText } from "../../src/core/message/uri.ts";
import { removeTopVia, stampSource, topVia, viasOf } from "../../src/core/message/via.ts";

/** Whether it could be read; every fourth of those that can is printed and answered, too. */
export function tryMessage(text: string, count: number): boolean {
  const message = parseMessage(text);
  if (message.kind === "malformed") return false;
  if (count % 4 !== 0) return true;
  readAll(message);
  const again = parseMessage(printMessage(message));
  assert.equal(again.kind, message.kind, again.kind === "malformed" ? again.reason : "");
  answerAll(message);
  return true;
}

function readAll({ headers }: Message): void {
  const uris = [fromOf(headers)?.uri ?? "", toOf(headers)?.uri ?? ""];
  fromOf(headers)?.tag;
  cseqOf(headers);
  for (const via of viasOf(headers) ?? []) void [via.received, via.rport, via.maddr, via.ttl];
  const contacts = contactsOf(headers);
  if (contacts !== undefined && contacts !== "*") {
    for (const contact of contacts) {
      void [contact.expires, contact.q, contact.param("+sip.instance")];
      uris.push(contact.uri);
    }
  }
  for (const name of ["route", "record-route", "path"]) nameAddrsOf(headers, name);
  for (const uri of uris) {
    const parsed = parseUri(uri);
    if (parsed === undefined) continue;
    addressOfRecord(parsed);
    assert.ok(sameUriText(printUri(parsed), uri), `${uri} printed is another URI`);
  }
  challengesOf(headers, "www-authenticate");
  for (const line of headers.all("authorization")) parseCredentials(line);
  tokensOf(headers, "supported");
  for (let index = 0; index < headers.size; index += 7) {
    parseChallenges(headers.valueAt(index));
    parseRetryAfter(headers.valueAt(index));
  }
}

function answerAll(message: Message): void {
  if (message.kind === "response") {
    removeTopVia(message.headers);
    return;
  }
  stampSource(message.headers, "192.0.2.77", 4242);
  assert.ok(topVia(message.headers) !== undefined);
  const response = responseTo(message, 404, undefined, "t1");
  for (const made of [response, ackFor(message, response), cancelFor(message)]) {
    const again = parseMessage(printMessage(made));
    assert.notEqual(again.kind, "malformed", JSON.stringify([message, again]));
  }
}
