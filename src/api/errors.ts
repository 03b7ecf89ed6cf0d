/** What can go wrong that the caller must know of: each kind an Error of its own, with the facts as fields. */
import type { Fault } from "../core/provisioning/configuration.ts";
import { formatFault } from "../core/provisioning/fault.ts";
import type { Failure } from "../core/redundancy/request.ts";

/** Options or provisioning files are wrong; every fault at once, each with what to write instead. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
  /** At least one of severity `error`. */
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[]) {
    super(faults.map(formatFault).join("\n"));
    this.faults = faults;
  }
}

const MEANINGS: Readonly<Record<string, string>> = {
  "in-use": "another socket has this port",
  denied: "no permission, or this machine has no such address",
  tls: "no certificate and key",
};

/** A local address cannot be listened on. */
export class AddressError extends Error {
  override readonly name = "AddressError";
  /** `udp:127.0.0.1:5060`. */
  readonly address: string;
  /** `in-use`: the port is taken; `denied`: no permission, or no such address; `tls`: no certificate and key. */
  readonly why: string;

  constructor(address: string, why: string) {
    const meaning = MEANINGS[why];
    super(`${address} cannot be had: ${why}${meaning === undefined ? "" : `, ${meaning}`}`);
    this.address = address;
    this.why = why;
  }
}

/** A call was not answered, or a part of it did not work. */
export class CallError extends Error {
  override readonly name = "CallError";
  /**
   * `rejected`: see `status`; `timeout`, `transport`, `no-targets`, `quiet`: no server could be reached; `hung-up`:
   * by us before the answer; or the reason of `call.ended` and `call.reinvite-failed` (docs/phone.md).
   */
  readonly why: string;
  /** 300..699 if the peer refused; undefined: no such answer came. */
  readonly status: number | undefined;

  constructor(what: string, why: string, status?: number) {
    super(`${what}: ${why}${status === undefined ? "" : ` (${status})`}`);
    this.why = why;
    this.status = status;
  }
}

/** A request got no final response from any server. A refusal is a response, not an error. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  /** `stopped`: the phone was stopped meanwhile. */
  readonly why: Failure["why"] | "stopped";

  constructor(method: string, why: Failure["why"] | "stopped") {
    super(`${method} got no answer: ${why}`);
    this.why = why;
  }
}

/** Something was asked of a phone, call or server that its state does not allow: for instance a call before `start`. */
export class StateError extends Error {
  override readonly name = "StateError";
}

/** What was to be played is no audio that can be read. */
export class AudioError extends Error {
  override readonly name = "AudioError";
}
