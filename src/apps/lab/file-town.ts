/**
 * The lab that provisioning files ask for: a server for each address they name or would look up, a zone that leads
 * there, and the files themselves with every literal address moved into the lab. Everything else stays as written.
 */

import type { Local } from "../../core/machine.ts";
import type { SourceFile } from "../../core/provisioning/configuration.ts";
import type { ResourceRecord } from "../../core/vocabulary.ts";
import type { GroundServer, Grounds } from "../explain/grounds.ts";
import type { Door, PlannedFile, Topology } from "../scenario/scenario.ts";
import { StageFault } from "../scenario/stage.ts";

/** One server of the lab and the one of the files that it stands for. */
export interface FileServer {
  readonly node: string;
  readonly ground: GroundServer;
}

export interface FileTown {
  readonly topology: Topology;
  /** As in the grounds: what the phone should use first stands first. */
  readonly servers: readonly FileServer[];
  /** With placeholders for the addresses. */
  readonly files: readonly PlannedFile[];
}

/** A realm of our own; the domains of the files are beside it. */
const REALM = "lab.test";
const INHABITANTS = ["phone", "caller", "friend", "watcher"] as const;

/** Has an address of its own in the lab, whoever it may be. */
export type Inhabitant = (typeof INHABITANTS)[number];

/**
 * @param files as they are overlaid.
 * @throws StageFault for what this lab cannot put up.
 */
export function townOfFiles(files: readonly SourceFile[], grounds: Grounds): FileTown {
  const nodes = new Map<string, string>();
  const servers = grounds.servers.map((ground) => {
    const node = nameOf(ground, new Set(nodes.values()));
    nodes.set(ground.spec.address, node);
    return { node, ground };
  });
  const moved = (text: string): string => withPlaceholders(text, nodes);
  return {
    topology: {
      domain: REALM,
      domains: grounds.domains.map(moved),
      open: true,
      zone: grounds.records.map((record) => moved(zoneLine(record))).join("\n"),
      servers: servers.map(({ node, ground: { spec } }) => {
        const doors = doorsOf(spec.listen ?? []);
        const tls = doors.some(({ transport }) => transport === "tls");
        return { name: node, role: spec.role, location: spec.location, up: true, tls, doors };
      }),
      phones: INHABITANTS.map((name) => ({
        name,
        user: name,
        password: "",
        answer: "auto",
        files: [],
      })),
    },
    servers,
    files: files.map(({ name, text }) => ({ name, text: moved(text) })),
  };
}

/** `primary`, `secondary`, `proxy`, `fallback`, `fallback-2` …: the names that the lab has addresses for. */
function nameOf({ title, spec }: GroundServer, taken: ReadonlySet<string>): string {
  const kind = title.includes("proxy")
    ? "proxy"
    : spec.role === "fallback"
      ? "fallback"
      : (["primary", "secondary"].find((rank) => !taken.has(rank)) ?? "working");
  let name = kind;
  for (let number = 2; taken.has(name); number += 1) name = `${kind}-${number}`;
  return name;
}

function withPlaceholders(text: string, nodes: ReadonlyMap<string, string>): string {
  let moved = text;
  for (const [address, node] of nodes) {
    const literal = address.replaceAll(".", "\\.");
    moved = moved.replace(new RegExp(`(?<![\\w.:])${literal}(?![\\w.])`, "g"), `\${${node}}`);
  }
  return moved;
}

/** @throws StageFault for a name that never goes to the DNS. */
function zoneLine(record: ResourceRecord): string {
  if (/(?:^|\.)localhost$/.test(record.name)) {
    const wrong =
      "localhost is always this machine (RFC 6761), and no server of the lab can stand in for it";
    throw new StageFault(`${wrong}; write another name, or an address`);
  }
  const owner = `${record.name}. ${record.ttl} IN ${record.type}`;
  switch (record.type) {
    case "NAPTR": {
      const { order, preference, flags, service, regexp, replacement } = record;
      return `${owner} ${order} ${preference} "${flags}" "${service}" "${regexp}" ${replacement}.`;
    }
    case "SRV":
      return `${owner} ${record.priority} ${record.weight} ${record.port} ${record.target}.`;
    case "A":
      return `${owner} ${record.address}`;
    default:
      throw new StageFault(`the lab has IPv4 addresses only, and ${record.name} has another`);
  }
}

/** @throws StageFault for a transport that the lab does not have. */
function doorsOf(listen: readonly Local[]): Door[] {
  return listen.map(({ transport, port }) => {
    if (transport === "udp" || transport === "tcp" || transport === "tls") {
      return { transport, port };
    }
    throw new StageFault("the lab's servers speak UDP, TCP and TLS");
  });
}
