/** NAPTR records as SIP uses them (RFC 3263 §4.1, RFC 7118 §8, RFC 3403): which apply, and in what order. */
import type { ResourceRecord } from "../vocabulary.ts";

export type NaptrRecord = Extract<ResourceRecord, { type: "NAPTR" }>;
/** The transports of SIP (RFC 3261 §18, RFC 7118). */
export type SipTransport = "udp" | "tcp" | "tls" | "ws" | "wss";

const SERVICES: Readonly<Record<string, SipTransport>> = {
  "SIP+D2U": "udp",
  "SIP+D2T": "tcp",
  "SIPS+D2T": "tls",
  "SIP+D2W": "ws",
  "SIPS+D2W": "wss",
};

/** Where a usable NAPTR record leads: to SRV, to addresses, or to further NAPTR records. */
export interface NaptrStep {
  readonly record: NaptrRecord;
  readonly leadsTo: "srv" | "addresses" | "naptr";
  /** Undefined only when it leads to further NAPTR records, which then decide. */
  readonly transport: SipTransport | undefined;
}

export interface NaptrChoice {
  /** Usable steps, best first. */
  readonly steps: readonly NaptrStep[];
  /** Whether any record was about SIP: with none, the domain says nothing of SIP by NAPTR. */
  readonly aboutSip: boolean;
}

/** `secure`: a sips URI, for which only SIPS services count. */
export function chooseNaptr(
  records: readonly NaptrRecord[],
  supported: readonly SipTransport[],
  secure: boolean,
): NaptrChoice {
  const steps: NaptrStep[] = [];
  let aboutSip = false;
  for (const record of records) {
    const service = record.service.toUpperCase();
    if (service.startsWith("SIP+") || service.startsWith("SIPS+")) aboutSip = true;
    const step = stepOf(record, service);
    if (step === undefined) continue;
    const transport = step.transport;
    if (transport !== undefined && !supported.includes(transport)) continue;
    if (transport !== undefined && secure && transport !== "tls" && transport !== "wss") continue;
    steps.push(step);
  }
  steps.sort(
    (a, b) => a.record.order - b.record.order || a.record.preference - b.record.preference,
  );
  return { steps, aboutSip };
}

function stepOf(record: NaptrRecord, service: string): NaptrStep | undefined {
  // A record that rewrites by regular expression is not one of SIP's (RFC 3263 §4.1).
  if (record.replacement === "" || record.replacement === ".") return undefined;
  const transport = SERVICES[service];
  switch (record.flags.toUpperCase()) {
    case "S":
      return transport && { record, leadsTo: "srv", transport };
    case "A":
      return transport && { record, leadsTo: "addresses", transport };
    case "":
      return service === "" || transport !== undefined
        ? { record, leadsTo: "naptr", transport }
        : undefined;
    default:
      return undefined;
  }
}
