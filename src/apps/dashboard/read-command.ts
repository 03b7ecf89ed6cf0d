/** What a page asks for, as it comes: JSON from anybody who has the token, of which nothing is believed. */
import type {
  Deed,
  DnsFault,
  Ends,
  PhoneCommand,
  ServerFault,
  WayFault,
} from "../scenario/scenario.ts";
import type { PageCommand } from "./protocol.ts";

/** Whom commands may name. */
export interface CommandScope {
  readonly servers: readonly string[];
  readonly phones: readonly string[];
  /** Calls by the dozen that have a network of their own. */
  readonly loads?: readonly string[];
  readonly scenarios: readonly string[];
  /** Whether there is a resolver. */
  readonly resolver: boolean;
}

const LONGEST_DELAY_MS = 60_000;
const LONGEST_RETRY_AFTER = 86_400;
const CALLEE = /^[\w.+*#@:;=-]{1,200}$/;
/** As scenarios call the resolver. */
const RESOLVER = "dns";

/** A text if it is no command, saying why. */
export function readCommand(value: unknown, scope: CommandScope): PageCommand | string {
  const said = fieldsOf(value);
  switch (said.do) {
    case "fault":
    case "fate":
    case "way":
    case "dns":
    case "phone":
      return deedOf(said, scope);
    case "play": {
      const scenario = oneOf(scope.scenarios, said.scenario);
      return scenario === undefined ? "no such scenario" : { do: "play", scenario };
    }
    case "pause":
    case "resume":
    case "step":
      return typeof said.trace === "string" ? { do: said.do, trace: said.trace } : "no trace named";
    default:
      return "no such command";
  }
}

type Fields = Readonly<Record<string, unknown>>;

function deedOf(said: Fields, scope: CommandScope): Deed | string {
  switch (said.do) {
    case "fault": {
      const server = oneOf(scope.servers, said.server);
      const fault = serverFaultOf(fieldsOf(said.fault));
      if (server === undefined) return "no such server";
      return fault === undefined ? "no such fault" : { do: "fault", server, fault };
    }
    case "fate": {
      const phone = oneOf(scope.phones, said.phone);
      const kind = oneOf(["kill", "freeze", "revive"] as const, fieldsOf(said.fate).kind);
      if (phone === undefined) return "no such phone";
      return kind === undefined ? "no such fate" : { do: "fate", phone, fate: { kind } };
    }
    case "way": {
      const ends = endsOf(said.ends, scope);
      const fault = wayFaultOf(fieldsOf(said.fault));
      if (ends === undefined) return "no such ends of a way";
      return fault === undefined ? "no such fault" : { do: "way", ends, fault };
    }
    case "dns": {
      const fault = dnsFaultOf(fieldsOf(said.fault), scope);
      if (!scope.resolver) return "there is no resolver";
      return fault === undefined ? "no such fault" : { do: "dns", fault };
    }
    default: {
      const phone = oneOf(scope.phones, said.phone);
      const command = phoneCommandOf(fieldsOf(said.command));
      if (phone === undefined) return "no such phone";
      return command === undefined ? "no such command" : { do: "phone", phone, command };
    }
  }
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

function oneOf<Name extends string>(names: readonly Name[], value: unknown): Name | undefined {
  return names.find((name) => name === value);
}

function serverFaultOf({ kind, retryAfterSeconds, ms, shown }: Fields): ServerFault | undefined {
  switch (kind) {
    case "kill":
    case "freeze":
    case "revive":
    case "drop":
    case "refuse":
    case "reset":
    case "heal":
      return { kind };
    case "answer-503":
      if (retryAfterSeconds === undefined) return { kind, retryAfterSeconds };
      return isWhole(retryAfterSeconds, LONGEST_RETRY_AFTER)
        ? { kind, retryAfterSeconds }
        : undefined;
    case "certificate": {
      const certificate = oneOf(["good", "expired", "stranger"] as const, shown);
      return certificate === undefined ? undefined : { kind, shown: certificate };
    }
    case "delay":
      return isWhole(ms, LONGEST_DELAY_MS) ? { kind, ms } : undefined;
    default:
      return undefined;
  }
}

/** One node, or two that differ; the resolver is only ever cut off from somebody. */
function endsOf(value: unknown, scope: CommandScope): Ends | undefined {
  const { servers, phones, loads = [], resolver } = scope;
  if (!Array.isArray(value) || value.length < 1 || value.length > 2) return undefined;
  const nodes = [...servers, ...phones, ...loads];
  const node = oneOf(nodes, value[0]);
  if (node === undefined) return undefined;
  if (value.length === 1) return [node];
  const other = oneOf(resolver ? [...nodes, RESOLVER] : nodes, value[1]);
  return other === undefined || other === node ? undefined : [node, other];
}

function wayFaultOf({ kind, ms, share }: Fields): WayFault | undefined {
  switch (kind) {
    case "drop":
    case "refuse":
    case "heal":
      return { kind };
    case "delay":
      return isWhole(ms, LONGEST_DELAY_MS) ? { kind, ms } : undefined;
    case "lose":
    case "duplicate":
      return isShare(share) ? { kind, share } : undefined;
    case "reorder":
      return isShare(share) && isWhole(ms, LONGEST_DELAY_MS) ? { kind, share, ms } : undefined;
    default:
      return undefined;
  }
}

function dnsFaultOf({ kind, address }: Fields, scope: CommandScope): DnsFault | undefined {
  if (kind === "silent" || kind === "servfail" || kind === "heal") return { kind };
  const liar = oneOf(scope.servers, address);
  return kind === "lie" && liar !== undefined ? { kind, address: liar } : undefined;
}

function phoneCommandOf({ kind, to }: Fields): PhoneCommand | undefined {
  if (kind === "hangup" || kind === "hold" || kind === "resume") return { kind };
  if (kind !== "call" || typeof to !== "string" || !CALLEE.test(to)) return undefined;
  return { kind, to };
}

function isWhole(value: unknown, most: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= most;
}

function isShare(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= 1;
}
