/** A topology as pages see it: who is there, and the lines of their files that decisions name. No password goes out. */
import type { ShownPhone, ShownServer } from "../dashboard/protocol.ts";
import { obeyedBy } from "../scenario/read-guests.ts";
import type { Topology } from "../scenario/scenario.ts";

const UNMOVED = "its own configuration says what it answers";

export interface ShownCast {
  readonly servers: readonly ShownServer[];
  readonly phones: readonly ShownPhone[];
  readonly resolver: boolean;
  readonly networked: boolean;
}

export function shownCast(topology: Topology): ShownCast {
  const { servers, phones, loads = [], zone, network } = topology;
  return {
    networked: network !== undefined,
    resolver: zone !== undefined,
    servers: servers.map(({ name, role, tls = false, guest }) => ({
      name,
      role,
      tls,
      ...programOf(guest),
      ...(guest === undefined || obeyedBy(guest).length > 0 ? {} : { unmoved: UNMOVED }),
    })),
    phones: [
      ...phones.map(({ name, user, files, guest }) => ({
        name,
        user,
        files: files.map((file) => ({ name: file.name, text: withoutPasswords(file.text) })),
        ...programOf(guest),
      })),
      ...loads.map(({ name }) => ({ name, user: name, files: [], program: "sipp" })),
    ],
  };
}

function programOf(guest: { readonly program: string } | undefined): { program?: string } {
  return guest === undefined ? {} : { program: guest.program };
}

/** Placeholders stay: `${password}` tells nothing. */
export function withoutPasswords(text: string): string {
  return text.replace(
    /((?:password|secret|pin)["']?\s*[=:]\s*)("[^"\n]*"|'[^'\n]*'|[^\s,}/>]+)/gi,
    (whole, key: string, value: string) =>
      value.replace(/["']/g, "").startsWith("${") ? whole : `${key}••••`,
  );
}
