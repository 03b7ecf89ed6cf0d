/**
 * The public face of the pure part, `dialtone/core`: messages, transactions, location, policies, and the machines of
 * phone and server. Nothing here knows a clock, a socket or Node; see ARCHITECTURE.md for the seam.
 */
export {
  type Dialog,
  type DialogId,
  dialogKey,
  dialogKeyOf,
  dialogOfClient,
  dialogOfServer,
} from "./dialog/dialog.ts";
export {
  type BadDescription,
  type Direction,
  type MediaDescription,
  parseDescription,
  printDescription,
  type SessionDescription,
} from "./dialog/session-description.ts";
export { newBranch, newCallId, newTag, token, uniform } from "./identifiers.ts";
export { type Clock, Inquiries, type Inquiry } from "./inquiry.ts";
export {
  type LocateContext,
  locateServer,
  locateUri,
  type ServerLocation,
  type UriLocation,
} from "./locate/locate.ts";
export type { Located, LocatedTarget, LocationFailure } from "./locate/located.ts";
export { type LookupPolicy, NameService } from "./locate/name-service.ts";
export type { SipTransport } from "./locate/naptr.ts";
export { RecordCache } from "./locate/record-cache.ts";
export {
  type FlowId,
  type Instant,
  type Local,
  type LossCause,
  type Machine,
  NEVER,
  type Opening,
  type Peer,
  type Target,
  type TransportName,
  type World,
} from "./machine.ts";
export { type CodecName, codecNamed, type G711, PCMA, PCMU } from "./media/g711.ts";
export type { AudioSink } from "./media/playout.ts";
export {
  newRtpHeader,
  parseRtp,
  printRtp,
  Reception,
  RTP_HEADER_BYTES,
  type RtpHeader,
} from "./media/rtp.ts";
export {
  type AudioSource,
  playback,
  ringback,
  SAMPLE_RATE,
  silence,
  tone,
} from "./media/tones.ts";
export { type Audio, type BadWav, readWav, writeWav } from "./media/wav.ts";
export { type CSeq, cseqOf, parseCSeq, printCSeq } from "./message/cseq.ts";
export { type RetryAfter, retryAfterOf } from "./message/delta.ts";
export {
  type Challenge,
  challengesOf,
  chooseChallenge,
  credentialsFor,
  type DigestAlgorithm,
  type DigestAnswer,
  type DigestCredentials,
  parseChallenges,
  parseCredentials,
  printChallenge,
  printCredentials,
  provesSecret,
  secretOf,
} from "./message/digest.ts";
export { type FrameUser, StreamFramer } from "./message/framing.ts";
export { md5 } from "./message/hash-md5.ts";
export { sha256 } from "./message/hash-sha256.ts";
export { Headers } from "./message/headers.ts";
export type { Malformed, Message, Request, Response } from "./message/message.ts";
export {
  contactsOf,
  fromOf,
  NameAddr,
  nameAddrsOf,
  parseNameAddr,
  printNameAddr,
  toOf,
} from "./message/name-addr.ts";
export { paramList, paramOf, withoutParam, withParam } from "./message/params.ts";
export { parseMessage } from "./message/parse.ts";
export { ackFor, cancelFor, printMessage, responseTo } from "./message/print.ts";
export { reasonOf } from "./message/status.ts";
export { tokensOf } from "./message/token-list.ts";
export {
  addressOfRecord,
  escapeUser,
  parseUri,
  printUri,
  type SipUri,
  sameUri,
  unescapeUser,
  uriParam,
} from "./message/uri.ts";
export { parseVia, printVia, removeTopVia, topVia, Via, viasOf } from "./message/via.ts";
export { Outbox } from "./outbox.ts";
export type { Call as MachineCall } from "./phone/call.ts";
export { dialled } from "./phone/dialled.ts";
export type { AskedRequest, LoneRequestUser } from "./phone/lone-request.ts";
export type { Phone as MachinePhone } from "./phone/phone.ts";
export type { AnswerMode, PhoneConfig } from "./phone/phone-config.ts";
export { defaultPhone } from "./phone/phone-defaults.ts";
export { PhoneMachine } from "./phone/phone-machine.ts";
export type { Bytes, Entropy, Hash, Primitives } from "./primitives.ts";
export type {
  Fault,
  Origin,
  PhoneConfiguration,
  Reading,
  SourceFile,
} from "./provisioning/configuration.ts";
export { formatFault } from "./provisioning/fault.ts";
export { dialectOf, type ReadOptions, readConfiguration } from "./provisioning/read.ts";
export type {
  AccountPolicy,
  DnsPolicy,
  FailbackMode,
  RedundancyPolicy,
  RegisterBackoff,
  ServerPolicy,
  ServerTransport,
} from "./redundancy/policy.ts";
export {
  ACCOUNT_DEFAULTS,
  type Dialect,
  defaultAccount,
  defaultPolicy,
  defaultServer,
  POLICY_DEFAULTS,
  SERVER_DEFAULTS,
} from "./redundancy/policy-defaults.ts";
export type { Failure } from "./redundancy/request.ts";
export { targetName } from "./redundancy/server-health.ts";
export { DEFAULT_REGISTRAR_LIMITS, type RegistrarLimits } from "./server/registration.ts";
export {
  type ServerConfiguration,
  type ServerState,
  SipServer as ServerMachine,
} from "./server/server.ts";
export { type OfferedAlgorithm, type User, Users } from "./server/users.ts";
export { readUsers, type UsersReading } from "./server/users-file.ts";
export { Timer, type TimerOwner, Timers } from "./timers.ts";
export { type LayerOptions, TransactionLayer } from "./transaction/layer.ts";
export { RFC_TIMER_VALUES, type TimerValues } from "./transaction/timer-values.ts";
export type {
  ClientTransaction,
  ClientTransactionUser,
  Flow,
  FlowUser,
  ListenerUser,
  MediaUser,
  Resending,
  ServerTransaction,
  TransactionUser,
} from "./transaction/user.ts";
export type {
  Answer,
  DnsAnswer,
  DnsQuestion,
  Question,
  RecordType,
  ResourceRecord,
  StoreAnswer,
  StoreRead,
  StoreWrite,
  TraceEvent,
} from "./vocabulary.ts";
