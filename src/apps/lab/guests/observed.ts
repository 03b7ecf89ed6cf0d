/**
 * What phones of others have come to, read off their messages: registered, calling, answered, ended, in the events
 * that ours tell themselves. So ladders, pages and the judge need no words for them.
 */
import { textOfBase64 } from "../../../api/base64.ts";
import { type Glimpse, glimpse } from "../../trace/glimpse.ts";
import { field, type TraceRecord } from "../../trace/record.ts";
import { MOST_CALLS } from "./limits.ts";

/** One message, from whose trace it may be. */
interface Passed {
  readonly record: TraceRecord;
  readonly seen: Glimpse;
  readonly text: string;
  /** Of the other end, `udp:127.0.0.13:5060`. */
  readonly peer: string;
  readonly outgoing: boolean;
}

interface Phone {
  readonly name: string;
  readonly user: string;
  /** By Call-ID: whether they were answered. */
  readonly calls: Map<string, boolean>;
  /** The last answer to a REGISTER: others' traces tell it again. */
  registered: string;
}

/** Asks for a password: the call goes on. */
const CHALLENGES: readonly number[] = [401, 407];

export class Observed {
  readonly #phones = new Map<string, Phone>();
  readonly #note: (record: TraceRecord) => void;
  readonly #complete: boolean;

  /**
   * @param note told of each event.
   * @param complete every message is told of by whom it concerns: what only its sender tells of has not arrived.
   */
  constructor(note: (record: TraceRecord) => void, complete = false) {
    this.#note = note;
    this.#complete = complete;
  }

  /** @param address where it stands, and nobody else. */
  add(name: string, user: string, address: string): void {
    this.#phones.set(address, { name, user, calls: new Map(), registered: "" });
  }

  /** A `message.sent` or `message.received` of any node. */
  saw(record: TraceRecord): void {
    const sent = record.event === "message.sent";
    if (!sent && record.event !== "message.received") return;
    const [local, remote] = [field(record, "local"), field(record, "remote")];
    const [source, target] = sent ? [local, remote] : [remote, local];
    for (const [own, other, outgoing] of [
      [source, target, true],
      [target, source, false],
    ] as const) {
      const phone = this.#phones.get(own.slice(0, own.lastIndexOf(":")));
      if (phone === undefined || (this.#complete && own !== local)) continue;
      const data = field(record, "data");
      const peer = `${field(record, "transport")}:${other}`;
      const passed = { record, seen: glimpse(data), text: textOfBase64(data), peer, outgoing };
      if (passed.seen.method === "REGISTER") this.#registration(phone, passed);
      else this.#call(phone, passed);
    }
  }

  #registration(phone: Phone, { record, seen, text, peer, outgoing }: Passed): void {
    const { status, callId, cseq } = seen;
    const answer = `${callId} ${cseq} ${status}`;
    if (outgoing || status < 200 || CHALLENGES.includes(status) || phone.registered === answer) {
      return;
    }
    phone.registered = answer;
    const about = { account: phone.user, server: 1, target: peer };
    if (status >= 300) {
      this.#tell(phone, record, "registration.failed", { ...about, why: "rejected", status });
      return;
    }
    const expires = expiresOf(text);
    if (expires > 0) this.#tell(phone, record, "registration.accepted", { ...about, expires });
    else this.#tell(phone, record, "registration.removed", about);
  }

  #call(phone: Phone, { record, seen, text, peer, outgoing }: Passed): void {
    const { method, status, callId } = seen;
    const answered = phone.calls.get(callId);
    const about = { account: phone.user, call: callId, peer };
    if (method === "INVITE" && status === 0 && answered === undefined) {
      if (/^(?:To|t)\s*:.*;\s*tag=/im.test(text)) return;
      for (const oldest of phone.calls.keys()) {
        if (phone.calls.size < MOST_CALLS) break;
        phone.calls.delete(oldest);
      }
      phone.calls.set(callId, false);
      const direction = outgoing ? "outgoing" : "incoming";
      this.#tell(phone, record, "call.started", { ...about, direction, callId });
    } else if (method === "INVITE" && status >= 200 && status < 300 && answered === false) {
      phone.calls.set(callId, true);
      this.#tell(phone, record, "call.answered", about);
    } else if (method === "INVITE" && status >= 300 && answered === false) {
      if (!CHALLENGES.includes(status))
        this.#ended(phone, record, { ...about, why: "failed", status });
    } else if (method === "BYE" && status === 0 && answered === true) {
      this.#ended(phone, record, { ...about, why: outgoing ? "hung-up" : "peer-hung-up" });
    }
  }

  #ended(phone: Phone, record: TraceRecord, about: Fields & { readonly call: string }): void {
    phone.calls.delete(about.call);
    this.#tell(phone, record, "call.ended", about);
  }

  #tell(phone: Phone, { at }: TraceRecord, event: string, fields: Fields): void {
    this.#note({ at, node: phone.name, event, ...fields });
  }
}

type Fields = Readonly<Record<string, string | number>>;

/** What a 200 to REGISTER leaves: the time of the binding, 0 for none. Seconds. */
function expiresOf(text: string): number {
  if (!/^(?:Contact|m)\s*:/im.test(text)) return 0;
  const found = /;\s*expires\s*=\s*(\d+)/i.exec(text) ?? /^Expires\s*:\s*(\d+)/im.exec(text);
  return Number(found?.[1] ?? 0);
}
