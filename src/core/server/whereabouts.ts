/** How a server finds others by the DNS: next hops (RFC 3263 §4), and ways for responses that lost theirs (§5). */
import type { Inquiries } from "../inquiry.ts";
import { type LocateContext, locateUri } from "../locate/locate.ts";
import { NameService } from "../locate/name-service.ts";
import { RecordCache } from "../locate/record-cache.ts";
import type { Local, TransportName } from "../machine.ts";
import type { Entropy } from "../primitives.ts";
import type { Alternates } from "../transaction/response-route.ts";

/** Over the transports and address families that it listens on itself. */
export function serverLocateContext(
  listen: readonly Local[],
  inquiries: Inquiries,
  entropy: Entropy,
): LocateContext {
  const names = new NameService(inquiries, new RecordCache(), {
    records: [],
    staticFirst: false,
    cache: true,
    useAdditional: true,
  });
  const families = new Set<"ipv4" | "ipv6">(
    listen.map(({ address }) => (address.includes(":") ? "ipv6" : "ipv4")),
  );
  const transports = new Set<TransportName>(listen.map(({ transport }) => transport));
  return {
    clock: inquiries,
    entropy,
    names,
    supported: [...transports].filter((transport) => transport !== "rtp"),
    families: [...families],
    srvOrder: "rfc2782",
    srvTransports: "all",
  };
}

/** Resolves the sent-by of a Via over the transport that it names. */
export function alternatesBy(inquiries: Inquiries, context: LocateContext): Alternates {
  return (now, via, found) => {
    const { host, port } = via;
    const transport = via.transport.toLowerCase();
    const inquiry = locateUri({ secure: false, host, port, transport }, context);
    inquiries.start(now, inquiry, (at, located) =>
      found(at, located.kind === "located" ? located.targets.map(({ target }) => target) : []),
    );
  };
}
