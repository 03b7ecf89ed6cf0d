/** Flows on real sockets: a NAT that gives the phone another address, and a connection that is cut (RFC 5626). */
import assert from "node:assert/strict";
import { createSocket, type Socket as Datagrams } from "node:dgram";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { readStun } from "../../src/core/message/stun.ts";
import type { SipServer } from "../../src/index.ts";
import { atTheEnd, newPhone, patience, startPhone, startServer } from "../api/town.ts";

/** Stands between one phone and a server, as a NAT does; `move` gives it another port, as a reboot would. */
class Nat {
  readonly #inside: Datagrams = createSocket("udp4");
  readonly #serverPort: number;
  #outside: Datagrams | undefined;
  #phonePort = 0;
  #told: (() => void) | undefined;
  /** The server has said where it sees the phone. */
  readonly answered: Promise<void> = new Promise((resolve) => {
    this.#told = resolve;
  });

  private constructor(serverPort: number) {
    this.#serverPort = serverPort;
  }

  static async open(context: TestContext, serverPort: number): Promise<Nat> {
    const nat = new Nat(serverPort);
    nat.#inside.bind(0, "127.0.0.1");
    await once(nat.#inside, "listening");
    nat.#inside.on("message", (bytes, { port }) => {
      nat.#phonePort = port;
      nat.#outside?.send(bytes, serverPort, "127.0.0.1");
    });
    await nat.move();
    atTheEnd(context, async () => {
      nat.#inside.close();
      nat.#outside?.close();
    });
    return nat;
  }

  get port(): number {
    return this.#inside.address().port;
  }

  get outsidePort(): number {
    return this.#outside?.address().port ?? 0;
  }

  async move(): Promise<void> {
    const fresh = createSocket("udp4").bind(0, "127.0.0.1");
    await once(fresh, "listening");
    fresh.on("message", (bytes) => {
      this.#inside.send(bytes, this.#phonePort, "127.0.0.1");
      if (readStun(bytes)?.kind === "success") this.#told?.();
    });
    this.#outside?.close();
    this.#outside = fresh;
    assert.notEqual(this.outsidePort, this.#serverPort);
  }
}

function portOf(server: SipServer, transport: string): number {
  const place = server.addresses.find((one) => one.startsWith(transport)) ?? "";
  return Number(place.slice(place.lastIndexOf(":") + 1));
}

test("a phone whose NAT has moved it learns that by STUN, registers anew, and is called there (R96)", async (t) => {
  const server = await startServer(t);
  const nat = await Nat.open(t, portOf(server, "udp"));
  const redundancy = { outbound: "always", keepAliveMs: 200 } as const;
  const bob = await startPhone(t, [`udp:127.0.0.1:${nat.port}`], "2002", {
    redundancy,
    answer: "auto",
  });
  const before = nat.outsidePort;
  const interrupted = once(bob, "registration.interrupted", patience());
  const again = once(server, "binding.refreshed", patience());
  await nat.answered;
  await nat.move();
  const [{ why }] = await interrupted;
  assert.equal(why, "moved");
  const [{ source }] = await again;
  assert.equal(source, `udp:127.0.0.1:${nat.outsidePort}`);
  assert.notEqual(nat.outsidePort, before);
  const alice = await startPhone(t, server, "2001");
  const call = alice.call("2002");
  await once(call, "answered", patience());
  await call.hangup();
});

test("the instance is a quoted URN, and the same after a restart (R88)", async (t) => {
  const server = await startServer(t);
  const seen: (string | undefined)[] = [];
  for (const user of ["2002", "2002", "2001"]) {
    const added = once(server, "binding.added", patience());
    const phone = await startPhone(t, server, user);
    await added;
    for await (const { bindings } of server.bindings()) {
      const parameters = bindings[0]?.parameters ?? "";
      seen.push(/\+sip\.instance="<(urn:uuid:[\da-f-]{36})>"/.exec(parameters)?.[1]);
    }
    await phone.stop();
  }
  const [first, second, other] = seen;
  assert.ok(first !== undefined && first === second && first !== other, seen.join(" "));
});

/** Passes connections on, and can cut them all. */
class Wire {
  readonly #server: Server = createServer();
  readonly #ends: Socket[] = [];
  accepted = 0;

  static async open(context: TestContext, serverPort: number): Promise<Wire> {
    const wire = new Wire();
    wire.#server.on("connection", (near) => {
      wire.accepted += 1;
      const far = connect(serverPort, "127.0.0.1");
      for (const end of [near, far]) {
        wire.#ends.push(end);
        end.on("error", () => end.destroy());
      }
      near.pipe(far).pipe(near);
      near.on("close", () => far.destroy());
    });
    wire.#server.listen(0, "127.0.0.1");
    await once(wire.#server, "listening");
    atTheEnd(context, async () => {
      wire.cut();
      wire.#server.close();
    });
    return wire;
  }

  get name(): string {
    const address = this.#server.address();
    return `tcp:127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
  }

  cut(): void {
    for (const end of this.#ends.splice(0)) end.resetAndDestroy();
  }
}

test("a connection that is cut is made anew at once, and takes the place of the old one (R98)", async (t) => {
  const server = await startServer(t);
  const wire = await Wire.open(t, portOf(server, "tcp"));
  const bob = newPhone(t, [wire.name], "2002", { answer: "auto" });
  const added = once(server, "binding.added", patience());
  await bob.start();
  await bob.registered(patience());
  const [{ contact }] = await added;
  const again = once(server, "binding.refreshed", patience());
  wire.cut();
  assert.equal((await again)[0].contact, contact);
  assert.equal(wire.accepted, 2);
  const alice = await startPhone(t, server, "2001");
  const call = alice.call("2002");
  await once(call, "answered", patience());
  await call.hangup();
  assert.equal(wire.accepted, 2, "the call came over the connection that the phone made");
});
