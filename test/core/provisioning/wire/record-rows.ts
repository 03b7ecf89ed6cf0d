/** What each field of a static record changes on the wire, where no resolver ever answers; both makers spell them. */
import type { Lines, WireRow } from "./stage.ts";

export interface RecordSpelling {
  /** `dns_cache_srv.1.port` for "SRV", "1", "port". */
  key(type: RecordKind, number: string, field: string): string;
  /** Of the name that NAPTR leads to, and of the address. */
  readonly replacement: string;
  readonly address: string;
  /** A phone with one server, pbx.example.com, whose records are to be asked for. */
  readonly server: Lines;
  /** A heavier record goes first, or is only likelier. */
  readonly weight: readonly [without: string, shows: string];
  /** A lifetime that is not the usual one, and what is asked for then. */
  readonly ttl: string;
  readonly lifetimes: Readonly<Record<RecordKind, readonly [without: string, shows: string]>>;
}

export type RecordKind = "NAPTR" | "SRV" | "A";

const USUAL_TTL = 300;
const PRIMARY = "1.8 → primary REGISTER";
const SECONDARY = "1.8 → secondary REGISTER";
const SERVICE = "_sip._udp.pbx.example.com";
const OTHER_SERVICE = "_sip._udp.b.example.com";
const ELSEWHERE = "_sip._udp.elsewhere.example.com";

export function recordRows(spelling: RecordSpelling): readonly WireRow[] {
  const { key, replacement, address, server, weight, ttl, lifetimes } = spelling;
  const lines = (type: RecordKind, number: string, fields: Lines): Lines =>
    Object.fromEntries(
      Object.entries(fields).map(([field, value]) => [key(type, number, field), value]),
    );
  const naptr = { name: "pbx.example.com", flags: "S", service: "SIP+D2U" };
  const named: Lines = {
    ...server,
    ...lines("NAPTR", "1", { ...naptr, [replacement]: SERVICE }),
    ...lines("SRV", "1", { name: SERVICE, port: "5060", target: "a.pbx.example.com" }),
    ...lines("A", "1", { name: "a.pbx.example.com", [address]: "192.0.2.13" }),
  };
  const host = lines("A", "2", { name: "b.pbx.example.com", [address]: "192.0.2.14" });
  const other = { port: "5060", target: "b.pbx.example.com" };
  const second = (rank: Lines): Lines => ({
    ...host,
    ...lines("SRV", "2", { name: SERVICE, ...other, ...rank }),
  });
  const better: Lines = {
    ...host,
    ...lines("NAPTR", "2", { ...naptr, [replacement]: OTHER_SERVICE }),
    ...lines("NAPTR", "2", { order: "10", preference: "10" }),
    ...lines("SRV", "2", { name: OTHER_SERVICE, ...other }),
  };
  const moved = {
    ...lines("SRV", "1", { name: ELSEWHERE }),
    ...lines("NAPTR", "1", { [replacement]: ELSEWHERE }),
  };
  const row = (
    type: RecordKind,
    field: string,
    value: string,
    [without, shows]: readonly [string, string],
    more: Lines = {},
  ): WireRow => ({
    key: key(type, "Z", field).replace("account.1.", "account.X."),
    value,
    play: "unnamed",
    without,
    with: shows,
    beside: { ...named, ...more },
  });
  const away = (type: RecordKind, field: string): Lines => lines(type, "1", { [field]: "" });
  // What leads to a record must live as long, or its end is seen first.
  const lived = Number(ttl) > USUAL_TTL ? lines("NAPTR", "1", { ttl }) : {};
  const longer = Number(ttl) > USUAL_TTL ? { ...lived, ...lines("SRV", "1", { ttl }) } : {};
  return [
    row("NAPTR", "name", "pbx.example.com", ["", PRIMARY], { ...moved, ...away("NAPTR", "name") }),
    row("NAPTR", "flags", "A", ["", `0.0 ? A ${SERVICE}`]),
    row("NAPTR", "order", "20", [PRIMARY, SECONDARY], better),
    row("NAPTR", "preference", "20", [PRIMARY, SECONDARY], {
      ...better,
      ...lines("NAPTR", "1", { order: "10" }),
    }),
    row("NAPTR", "service", "SIP+D2U", [SECONDARY, PRIMARY], {
      ...better,
      ...away("NAPTR", "service"),
    }),
    row("NAPTR", replacement, OTHER_SERVICE, [PRIMARY, SECONDARY], better),
    row("NAPTR", "ttl", ttl, lifetimes.NAPTR),
    row("SRV", "name", SERVICE, ["", PRIMARY], away("SRV", "name")),
    row("SRV", "port", "5070", [PRIMARY, "1.8 → primary:5070 REGISTER"]),
    row("SRV", "priority", "20", [PRIMARY, SECONDARY], second({ priority: "10" })),
    row("SRV", "target", "b.pbx.example.com", [PRIMARY, SECONDARY], host),
    row("SRV", "weight", "20", weight, second({ weight: "10" })),
    row("SRV", "ttl", ttl, lifetimes.SRV, lived),
    row("A", "name", "a.pbx.example.com", ["", PRIMARY], away("A", "name")),
    row("A", address, "192.0.2.14", [PRIMARY, SECONDARY]),
    row("A", "ttl", ttl, lifetimes.A, longer),
  ];
}
