/** What a phone tells its listeners. */
import type { Call } from "./call.ts";
import type { AnyEvent, EventOf, PhoneEventFields } from "./event-fields.ts";

/** An event of a phone, told apart by its `event`. */
export type PhoneEvent<Name extends keyof PhoneEventFields = keyof PhoneEventFields> = EventOf<
  PhoneEventFields,
  Name
>;

type PhoneOwnEvents = { [Name in keyof PhoneEventFields]: [event: PhoneEvent<Name>] };

/** What listeners of a phone are given. */
export interface PhoneEvents extends PhoneOwnEvents {
  /** Somebody calls: `answer()` or `refuse()` it. */
  call: [call: Call];
  /** Each event there is, in order. */
  event: [event: AnyEvent];
  /** The phone was stopped; nothing follows. */
  close: [];
}

/** A registration that stands, as far as the phone knows. */
export type Registered = PhoneEvent<"registration.accepted">;
