/**
 * `node parse-program.js dialtone|sip read|print SECONDS MESSAGE…`: parses, and prints if that is asked for, for so long,
 * and tells the CPU of one message in µs.
 */
import { cseqOf } from "../../core/message/cseq.ts";
import { secondsOf } from "../../core/message/delta.ts";
import { parseCredentials } from "../../core/message/digest.ts";
import { AUTHORIZATION, CALL_ID, EXPIRES } from "../../core/message/header-names.ts";
import { contactsOf, fromOf, toOf } from "../../core/message/name-addr.ts";
import { parseMessage } from "../../core/message/parse.ts";
import { printMessage } from "../../core/message/print.ts";
import { topVia } from "../../core/message/via.ts";
import { nodePrimitives } from "../../worlds/node/primitives.ts";
import { MESSAGES } from "./messages.ts";
import { loadSip } from "./npm-sip.ts";

type Parse = (bytes: Buffer) => unknown;

const [name = "dialtone", task = "read", seconds = "1", ...names] = process.argv.slice(2);
const printing = task === "print";
const parse = name === "sip" ? sip() : dialtone();
const messages = names.map((wanted) => MESSAGES.get(wanted) as Buffer);
for (const bytes of messages) {
  if (parse(bytes) === undefined) throw new Error(`not parsed: ${bytes.toString("latin1")}`);
}
// Until the compiler is done, which takes 0.6 s where the machine has other work.
run(Number(seconds));
process.stdout.write(`${run(Number(seconds))}\n`);

/** A message from its bytes, and all that a registrar reads of it. */
function dialtone(): Parse {
  const { bytes: text } = nodePrimitives();
  return (bytes) => {
    const message = parseMessage(text.toText(bytes));
    if (message.kind === "malformed") return undefined;
    const { headers } = message;
    const via = topVia(headers);
    const from = fromOf(headers);
    const to = toOf(headers);
    const cseq = cseqOf(headers);
    const contacts = contactsOf(headers);
    if (via === undefined || from === undefined || to === undefined) return undefined;
    if (cseq === undefined || contacts === undefined) return undefined;
    const callId = headers.get(CALL_ID);
    const expires = secondsOf(headers, EXPIRES);
    const authorization = headers.find(AUTHORIZATION);
    const credentials = authorization < 0 ? "" : headers.readAt(authorization, parseCredentials);
    if (credentials === undefined) return undefined;
    const printed = printing ? text.fromText(printMessage(message)) : undefined;
    return { via, from, to, cseq, contacts, callId, expires, credentials, printed };
  };
}

function sip(): Parse {
  const npm = loadSip();
  if (npm === undefined) throw new Error("the npm package sip is not installed");
  if (!printing) return (bytes) => npm.parse(bytes);
  return (bytes) => {
    const message = npm.parse(bytes);
    return message === undefined ? undefined : npm.stringify(message);
  };
}

function run(forSeconds: number): number {
  const until = performance.now() + forSeconds * 1000;
  const before = process.cpuUsage();
  let parsed = 0;
  do {
    for (let round = 0; round < 50; round += 1) {
      for (const bytes of messages) if (parse(bytes) !== undefined) parsed += 1;
    }
  } while (performance.now() < until);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / parsed;
}
