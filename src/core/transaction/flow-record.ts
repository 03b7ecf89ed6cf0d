/** One flow as the transport keeps it, and the list of those that must hear of its end. */
import type { FlowId, Instant, LossCause, Peer, Target, TransportName } from "../machine.ts";
import type { StreamFramer } from "../message/framing.ts";
import type { Flow, FlowUser } from "./user.ts";

/** Links itself into the flow it depends on, so that neither joining nor leaving allocates. */
export interface FlowMember {
  before: FlowMember | undefined;
  after: FlowMember | undefined;
  /** The flow is over. The member has left it already. */
  flowLost(now: Instant, cause: LossCause): void;
}

/** Waits for signs of life from one peer that owes them. */
export interface Vigil {
  /** A keep-alive is due, or has been sent. */
  asked(now: Instant): void;
  /** Bytes have come, any bytes. */
  heard(): void;
  /** What was asked last had to be asked again. */
  readonly late: boolean;
}

export class FlowRecord implements Flow {
  /** Another once the world has forgotten it while somebody waited. */
  id: FlowId;
  /** Until the flow is open its local end is unknown: "" and 0. */
  peer: Peer;
  /** What was asked for; of a flow that arrived, its peer. */
  readonly asked: Target;
  /** The listener through which it arrived or was opened; 0: none. */
  readonly from: FlowId;
  /** Datagrams: on a connected socket, which hears of ICMP errors. */
  readonly connected: boolean;
  state: "opening" | "open" | "gone";
  /** Of datagrams in whole milliseconds. */
  heardAt: Instant;
  /** When bytes were last sent or received, in whole milliseconds: such a number takes no object of its own. */
  usedAt: Instant;
  /** When its silence was taken for a sign of death; nobody new is given it until more is heard. */
  doubtedAt: Instant | undefined;
  /** Told once the flow is open or cannot be had; undefined when it is open. */
  waiting: FlowUser[] | undefined;
  /** TCP and TLS, from the first bytes on. */
  framer: StreamFramer | undefined;
  /** There if the peer owes signs of life; of datagrams only while it does, and after it was late. */
  vigil: Vigil | undefined;
  /** Datagrams: a fingerprint of the address of ours that the peer saw first. */
  mapped: number | undefined;
  /** Which of all flows of the layer it is, both sides' counted. */
  order = 0;
  /** The next flow with the same place. */
  sibling: FlowRecord | undefined;
  #first: FlowMember | undefined;

  constructor(
    now: Instant,
    id: FlowId,
    peer: Peer,
    asked: Target,
    from: FlowId,
    connected: boolean,
    state: "opening" | "open",
  ) {
    this.id = id;
    this.peer = peer;
    this.asked = asked;
    this.from = from;
    this.connected = connected;
    this.state = state;
    this.usedAt = Math.floor(now);
    this.heardAt = this.reliable ? now : this.usedAt;
  }

  heard(now: Instant): void {
    this.usedAt = Math.floor(now);
    this.heardAt = this.reliable ? now : this.usedAt;
    this.vigil?.heard();
  }

  used(now: Instant): void {
    this.usedAt = Math.floor(now);
  }

  get reliable(): boolean {
    return isReliable(this.asked.transport);
  }

  /** Whether anyone depends on it. */
  get needed(): boolean {
    return this.#first !== undefined || this.waiting !== undefined;
  }

  get doubtful(): boolean {
    return this.doubtedAt !== undefined && this.doubtedAt >= this.heardAt;
  }

  get late(): boolean {
    return this.vigil?.late === true;
  }

  get firstMember(): FlowMember | undefined {
    return this.#first;
  }

  join(member: FlowMember): void {
    member.after = this.#first;
    if (this.#first !== undefined) this.#first.before = member;
    this.#first = member;
  }

  /** One that has left already may say so again. */
  leave(member: FlowMember): void {
    if (member.before !== undefined) member.before.after = member.after;
    else if (this.#first === member) this.#first = member.after;
    if (member.after !== undefined) member.after.before = member.before;
    member.before = undefined;
    member.after = undefined;
  }
}

/** Transports that deliver or fail (RFC 3261 §17): nothing is resent over them. */
export function isReliable(transport: TransportName): boolean {
  return transport !== "udp" && transport !== "rtp";
}
