/**
 * Whose a phone's events and messages are, where several accounts share it: invariants watch each account as if it had a
 * node to itself, named like its user.
 */
import { fromOf, toOf } from "../../../core/message/name-addr.ts";
import { parseMessage } from "../../../core/message/parse.ts";
import { parseUri } from "../../../core/message/uri.ts";
import type { SimulatedEvent } from "../../../worlds/sim/simulation.ts";
import type { SimulatedMessage } from "../../../worlds/sim/surroundings.ts";
import { accountsByPhone, type SwarmPlan } from "./plan.ts";

export class Tenants {
  /** The users on each phone, by its node. */
  readonly #users = new Map<string, readonly string[]>();

  constructor(plan: Pick<SwarmPlan, "accounts" | "phones">) {
    for (const list of accountsByPhone(plan)) {
      const users = list.map((at) => plan.accounts[at]?.user ?? "");
      this.#users.set(users[0] ?? "", users);
    }
  }

  /** All on that phone; none if the node is no phone. */
  of(node: string): readonly string[] {
    return this.#users.get(node) ?? [];
  }

  /** What the phone has found out is known to all its accounts. */
  event(event: SimulatedEvent): readonly SimulatedEvent[] {
    const users = this.of(event.node);
    if (users.length < 2) return [event];
    const { account } = event;
    const told = typeof account === "string" ? [account] : users;
    return told.map((node) => ({ ...event, node }));
  }

  /** Undefined: it is nobody's in particular, or no phone's. */
  message(message: SimulatedMessage, text: string): SimulatedMessage | undefined {
    const users = this.of(message.node);
    if (users.length < 2) return users.length === 0 ? undefined : message;
    const node = localUser(message, text);
    return node !== undefined && users.includes(node) ? { ...message, node } : undefined;
  }
}

/** The user at this end of a message. */
function localUser({ direction }: SimulatedMessage, text: string): string | undefined {
  const message = parseMessage(text);
  if (message.kind === "malformed") return undefined;
  const asks = (message.kind === "request") === (direction === "out");
  const party = asks ? fromOf(message.headers) : toOf(message.headers);
  return parseUri(party?.uri ?? "")?.user;
}
