/** Who stands where on a stage: told for ladders and the judge, and put into placeholders for zones and files. */
import type { GuestProgram, LoadPlan, Topology } from "../scenario/scenario.ts";
import type { TraceRecord } from "../trace/record.ts";
import type { Block, Place } from "./addresses.ts";

/** Where phones and loads of others listen, at addresses of their own. */
export const GUEST_PORT = 5060;

interface Site {
  readonly topology: Topology;
  readonly block: Block;
}

/** Loads stand behind the phones. */
export function placeOfLoad(plan: LoadPlan, { topology, block }: Site): Place {
  const { phones, loads = [] } = topology;
  return { address: block.phone(phones.length + loads.indexOf(plan)).address, port: GUEST_PORT };
}

/** @param note told of each place. */
export function namePlaces(
  site: Site,
  placeholders: Map<string, string>,
  note: (record: TraceRecord) => void,
): void {
  const { topology, block } = site;
  const { resolver } = block;
  placeholders
    .set("domain", topology.domain)
    .set("dns", `${resolver.address}:${resolver.port}`)
    .set("dns.address", resolver.address)
    .set("dns.port", String(resolver.port));
  const name = (node: string, place: Place, program?: GuestProgram): void => {
    const whose = program === undefined ? {} : { program };
    note({ at: 0, node: "stage", event: "place.named", name: node, ...place, ...whose });
  };
  topology.phones.forEach((phone, index) => {
    name(phone.name, block.phone(index), phone.guest?.program);
  });
  for (const load of topology.loads ?? []) name(load.name, placeOfLoad(load, site), "sipp");
  topology.servers.forEach((server, index) => {
    const { address, port } = block.server(server.name, index);
    name(server.name, { address, port }, server.guest?.program);
    placeholders
      .set(server.name, address)
      .set(`${server.name}.port`, String(port))
      .set(`${server.name}.tls`, String(port + 1));
  });
}
