/** Dialog state and the requests it builds (RFC 3261 §12; R11, R12). */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  copyRecordRoutes,
  type Dialog,
  dialogKey,
  dialogKeyOf,
  dialogOfClient,
  dialogOfServer,
} from "../../../src/core/dialog/dialog.ts";
import type { Request, Response } from "../../../src/core/message/message.ts";
import { parseMessage } from "../../../src/core/message/parse.ts";
import { responseTo } from "../../../src/core/message/print.ts";

function invite(...extra: string[]): Request {
  const message = parseMessage(
    [
      "INVITE sip:bob@b.example SIP/2.0",
      "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1",
      'From: "Alice" <sip:alice@a.example>;tag=aa',
      "To: <sip:bob@b.example>",
      "Call-ID: c1",
      "CSeq: 7 INVITE",
      "Max-Forwards: 70",
      "Contact: <sip:alice@192.0.2.1>",
      ...extra,
      "Content-Length: 0",
      "",
      "",
    ].join("\r\n"),
  );
  assert.equal(message.kind, "request", JSON.stringify(message));
  return message as Request;
}

function ok(request: Request, ...lines: [string, string][]): Response {
  const response = responseTo(request, 200, undefined, "bb");
  for (const [name, value] of lines) response.headers.add(name, value);
  return response;
}

function defined(dialog: Dialog | undefined): Dialog {
  assert.ok(dialog);
  return dialog;
}

const CONTACT: [string, string] = ["contact", "<sip:bob@192.0.2.9;transport=tcp>;q=1"];

function shown(request: Request): string[] {
  const lines = [`${request.method} ${request.uri}`];
  for (let at = 0; at < request.headers.size; at += 1) {
    lines.push(`${request.headers.nameAt(at)}: ${request.headers.valueAt(at)}`);
  }
  return lines;
}

test("the caller's dialog takes the route set in reverse and answers to the Contact (§12.1.2)", () => {
  const routes: [string, string][] = [
    ["record-route", "<sip:p3;lr>, <sip:p2;lr>"],
    ["record-route", "<sip:p1;lr>"],
  ];
  const dialog = defined(dialogOfClient(invite(), ok(invite(), ...routes, CONTACT)));
  assert.deepEqual(shown(dialog.request("BYE", dialog.nextCSeq(), "VIA")), [
    "BYE sip:bob@192.0.2.9;transport=tcp",
    "via: VIA",
    "route: <sip:p1;lr>",
    "route: <sip:p2;lr>",
    "route: <sip:p3;lr>",
    "max-forwards: 70",
    'from: "Alice" <sip:alice@a.example>;tag=aa',
    "to: <sip:bob@b.example>;tag=bb",
    "call-id: c1",
    "cseq: 8 BYE",
  ]);
  assert.equal(dialog.nextHop, "sip:p1;lr");
});

test("the callee's dialog takes the route set as it stands, and mirrors From and To (§12.1.1)", () => {
  const request = invite("Record-Route: <sip:p2;lr>,<sip:p1;lr>");
  const dialog = defined(dialogOfServer(request, "bb"));
  assert.deepEqual(shown(dialog.request("BYE", dialog.nextCSeq(), "VIA")), [
    "BYE sip:alice@192.0.2.1",
    "via: VIA",
    "route: <sip:p2;lr>",
    "route: <sip:p1;lr>",
    "max-forwards: 70",
    "from: <sip:bob@b.example>;tag=bb",
    'to: "Alice" <sip:alice@a.example>;tag=aa',
    "call-id: c1",
    "cseq: 1 BYE",
  ]);
});

test("a strict router stands in the Request-URI, the target last among the routes (R11)", () => {
  const record: [string, string] = ["record-route", "<sip:p2;lr>,<sip:p1?Subject=x>"];
  const dialog = defined(dialogOfClient(invite(), ok(invite(), record, CONTACT)));
  const request = dialog.request("BYE", 8, "VIA");
  assert.equal(request.uri, "sip:p1");
  assert.deepEqual(request.headers.all("route"), [
    "<sip:p2;lr>",
    "<sip:bob@192.0.2.9;transport=tcp>",
  ]);
});

test("without routes the request goes to the peer itself", () => {
  const dialog = defined(dialogOfClient(invite(), ok(invite(), CONTACT)));
  assert.equal(dialog.nextHop, "sip:bob@192.0.2.9;transport=tcp");
  assert.deepEqual(dialog.request("BYE", 8, "VIA").headers.all("route"), []);
});

test("a request with a lower CSeq is out of turn, an equal or higher one is not (R12)", () => {
  const dialog = defined(dialogOfServer(invite(), "bb"));
  const numbered = (number: number) => {
    const request = invite();
    request.headers.set("cseq", `${number} INVITE`);
    return dialog.takeTurn(request);
  };
  assert.deepEqual(
    [numbered(9), numbered(8), numbered(9), numbered(12), numbered(10)],
    [true, false, true, true, false],
  );
});

test("a refresh changes the target and not the routes (§12.2)", () => {
  const dialog = defined(dialogOfServer(invite("Record-Route: <sip:p1;lr>"), "bb"));
  const refresh = invite("Record-Route: <sip:other;lr>");
  refresh.headers.set("contact", "<sip:alice@192.0.2.77>");
  dialog.refreshTarget(refresh.headers);
  assert.equal(dialog.remoteTarget, "sip:alice@192.0.2.77");
  assert.equal(dialog.nextHop, "sip:p1;lr");
  refresh.headers.remove("contact");
  dialog.refreshTarget(refresh.headers);
  assert.equal(dialog.remoteTarget, "sip:alice@192.0.2.77");
});

test("numbers used by a retry with credentials are not used again (I7)", () => {
  const dialog = defined(dialogOfClient(invite(), ok(invite(), CONTACT)));
  dialog.usedCSeq(10);
  dialog.usedCSeq(9);
  assert.equal(dialog.nextCSeq(), 11);
});

test("a 2xx without Contact can still be acknowledged and ended, where the INVITE went", () => {
  const dialog = defined(dialogOfClient(invite(), ok(invite())));
  assert.equal(dialog.request("ACK", 7, "VIA").uri, "sip:bob@b.example");
});

test("no dialog comes of a 100, of an INVITE without Contact, or with routes that cannot be read", () => {
  const bare = invite();
  assert.equal(dialogOfClient(bare, ok(bare, CONTACT, ["record-route", "<sip:p1"])), undefined);
  const trying = responseTo(bare, 100);
  trying.headers.add(...CONTACT);
  assert.equal(dialogOfClient(bare, trying), undefined);
  bare.headers.remove("contact");
  assert.equal(dialogOfServer(bare, "bb"), undefined);
});

test("a request is found by the tags as its receiver sees them; a peer without tag is known by an empty one", () => {
  const dialog = defined(dialogOfServer(invite(), "bb"));
  const bye = invite();
  bye.headers.set("to", "<sip:bob@b.example>;tag=bb");
  assert.equal(dialogKeyOf(bye), dialogKey(dialog.callId, dialog.localTag, dialog.remoteTag));
  assert.equal(dialogKeyOf(invite()), undefined);
  const old = invite();
  old.headers.set("from", "<sip:alice@a.example>");
  assert.equal(defined(dialogOfServer(old, "bb")).remoteTag, "");
});

test("an answer that makes a dialog repeats every Record-Route in order (§12.1.1)", () => {
  const request = invite("Record-Route: <sip:p2;lr>", "Record-Route: <sip:p1;lr>");
  const response = responseTo(request, 200, undefined, "bb");
  copyRecordRoutes(request, response);
  assert.deepEqual(response.headers.all("record-route"), ["<sip:p2;lr>", "<sip:p1;lr>"]);
});
