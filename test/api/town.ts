/** A server and phones of the public API in one process, on ports that are free; all of them end with the test. */
import type { TestContext } from "node:test";
import { Phone, type PhoneOptions, SipServer, type SipServerOptions } from "../../src/index.ts";

/** Nothing of a test takes longer, milliseconds. */
export const PATIENCE_MS = 15_000;

export const patience = (): { signal: AbortSignal } => ({
  signal: AbortSignal.timeout(PATIENCE_MS),
});

export const USERS: Readonly<Record<string, string>> = { "2001": "desk-2001", "2002": "hall-2002" };

const endings = new WeakMap<TestContext, (() => Promise<void>)[]>();

/** What came last ends first: phones say goodbye to a server that is still there. */
export function atTheEnd(context: TestContext, end: () => Promise<void>): void {
  const known = endings.get(context);
  if (known !== undefined) {
    known.unshift(end);
    return;
  }
  const ends = [end];
  endings.set(context, ends);
  context.after(async () => {
    for (const one of ends) await one();
  });
}

export async function startServer(
  context: TestContext,
  options: Partial<SipServerOptions> = {},
): Promise<SipServer> {
  const server = new SipServer({
    listen: ["udp:127.0.0.1:0", "tcp:127.0.0.1:0"],
    domain: "example.com",
    users: USERS,
    ...options,
  });
  atTheEnd(context, () => server.close());
  return await server.start(patience());
}

export function newPhone(
  context: TestContext,
  servers: SipServer | readonly string[],
  user: string,
  options: Partial<PhoneOptions> = {},
): Phone {
  const phone = new Phone({
    user,
    password: USERS[user] ?? "",
    domain: "example.com",
    servers: servers instanceof SipServer ? (servers.addresses[0] as string) : servers,
    bind: "127.0.0.1",
    ...options,
  });
  atTheEnd(context, () => phone.stop());
  return phone;
}

/** Started and registered. */
export async function startPhone(
  context: TestContext,
  servers: SipServer | readonly string[],
  user: string,
  options: Partial<PhoneOptions> = {},
): Promise<Phone> {
  const phone = await newPhone(context, servers, user, options).start(patience());
  await phone.registered(patience());
  return phone;
}
