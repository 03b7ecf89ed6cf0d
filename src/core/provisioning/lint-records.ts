/** Static DNS records that no look-up comes to. Only certain ones: live answers may lead anywhere. */
import type { AccountPolicy, ServerPolicy } from "../redundancy/policy.ts";
import type { Settings } from "./settings.ts";
import { isLiteral } from "./value-form.ts";

type Kind = "NAPTR" | "SRV" | "A";

/** A record by its name. */
interface Named {
  readonly kind: Kind;
  readonly name: string;
  /** Tells that it is not used. */
  readonly tell: (wrong: string, remedy: string) => void;
}

/** Where names lead, as the file has it. */
interface Ways {
  readonly servers: readonly string[];
  readonly replacements: readonly string[];
  readonly targets: readonly string[];
}

export function lintRecords(settings: Settings, accounts: readonly AccountPolicy[]): void {
  const asked = accounts.flatMap(({ redundancy }) => [
    ...redundancy.servers,
    ...redundancy.proxies,
  ]);
  const records = accounts.flatMap(({ redundancy }) => redundancy.dns.records);
  const ways: Ways = {
    servers: asked.map(({ address }) => address),
    replacements: records.flatMap((record) =>
      record.type === "NAPTR" ? record.replacement.toLowerCase() : [],
    ),
    targets: records.flatMap((record) => (record.type === "SRV" ? record.target : [])),
  };
  const named = [...namedRecords(settings)];
  if (!asked.some(mayAskForSrv)) lintUnasked(named, ways);
  else if (!settings.faults.some(({ code }) => code === "incomplete-record")) lintWays(named, ways);
}

function* namedRecords(settings: Settings): Iterable<Named> {
  for (const slot of settings.slots()) {
    const kind = /\.dns\.records\.(NAPTR|SRV|A)\.\d+\.name$/.exec(slot)?.[1] as Kind | undefined;
    const setting = settings.peek([slot]);
    if (kind === undefined || setting === undefined) continue;
    const tell = (wrong: string, remedy: string): void => {
      settings.warn(setting.origin, "unused-record", wrong, remedy);
    };
    yield { kind, name: String(setting.value), tell };
  }
}

/** Nobody asks for more than addresses: that is one fault, however many records there are. */
function lintUnasked(named: readonly Named[], { servers, targets }: Ways): void {
  const [first, ...others] = named.filter(({ kind }) => kind !== "A");
  const more = others.length > 0 ? `, nor any of the ${others.length} after it` : "";
  const unasked = "every server has a port or is an address, so that this record is not asked for";
  first?.tell(`${unasked}${more}`, "delete the ports, or the records");
  for (const { kind, name, tell } of named) {
    if (kind !== "A" || servers.includes(name) || targets.includes(name)) continue;
    const wrong = "no server or proxy has this name, so the record is never used";
    tell(wrong, "name the server so, or delete the record");
  }
}

/** Where the file has the way to a record itself and it leads elsewhere, its name is most likely misspelt. */
function lintWays(named: readonly Named[], { servers, replacements, targets }: Ways): void {
  const below = (name: string): boolean => servers.some((server) => name.endsWith(`.${server}`));
  for (const { kind, name, tell } of named) {
    if (servers.includes(name) || replacements.includes(name) || targets.includes(name)) continue;
    if (kind === "NAPTR") {
      tell("no server or proxy has this name", "name the server so, or delete the record");
    } else if (kind === "SRV" && replacements.length > 0 && !below(name)) {
      tell("no static NAPTR record leads here", "write its replacement, or delete the record");
    } else if (kind === "A" && targets.length > 0) {
      const wrong = "no server, proxy or static SRV record has this name";
      tell(wrong, "write the target of an SRV record, or delete the record");
    }
  }
}

function mayAskForSrv({ address, port, transport }: ServerPolicy): boolean {
  return !isLiteral(address) && (port === 0 || transport === "naptr");
}
