/** The public face of Dialtone for programs: a phone and a server (docs/api.md). */

export type { BindingEntry, BindingsOfUser } from "./api/bindings.ts";
export type { Call, CallEnd, CallEvents, CallState } from "./api/call.ts";
export {
  AddressError,
  AudioError,
  CallError,
  ConfigurationError,
  RequestError,
  StateError,
} from "./api/errors.ts";
export type {
  AnyEvent,
  CallFigures,
  DistrustFields,
  EventOf,
  EventStamp,
  MessageFields,
  PhoneEventFields,
  ServerEventFields,
} from "./api/event-fields.ts";
export { type CallOptions, Phone } from "./api/phone.ts";
export type { PhoneEvent, PhoneEvents, Registered } from "./api/phone-events.ts";
export type {
  AccountOptions,
  PhoneOptions,
  PhoneSettings,
  RedundancyOptions,
  ServerName,
  ServerOptions,
} from "./api/phone-options.ts";
export type {
  RequestHandler,
  RequestOptions,
  SipAnswer,
  SipRequest,
  SipResponse,
} from "./api/requests.ts";
export { type ServerEvent, type ServerEvents, SipServer } from "./api/server.ts";
export type { SipServerOptions, UserOptions } from "./api/server-options.ts";
export type { SipHeaders } from "./api/sip-headers.ts";
export type { AudioInput, PlayOptions } from "./api/voice.ts";
export type { WaitOptions } from "./api/waiting.ts";
export { type AudioSource, ringback, silence, tone } from "./core/media/tones.ts";
export type { Fault } from "./core/provisioning/configuration.ts";
export type { Messages } from "./core/server/message-summary.ts";
export type { Recall } from "./core/server/register-desk.ts";
export type { Store } from "./worlds/node/stores/store.ts";
export type { TlsSettings } from "./worlds/node/tls.ts";
