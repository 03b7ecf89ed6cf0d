/** TLS and secure WebSocket: whose certificates are believed, for which domain, and sessions resumed (R104). */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { connect, createServer as createTlsServer } from "node:tls";
import type { Target } from "../../src/core/machine.ts";
import { speaksFor } from "../../src/worlds/node/certificate-names.ts";
import type { DriverOptions, TimedEvent } from "../../src/worlds/node/driver.ts";
import { authority, certificate, certificateOf, fingerprint, key } from "./certificates.ts";
import { drive, echo, open, tlsServer, trusting } from "./driving.ts";

const LOOPBACK = "127.0.0.1";

for (const transport of ["tls", "wss"] as const) {
  test(`${transport}: the certificate must speak for the configured domain, whatever address SRV led to (R104)`, async () => {
    const server = await echo(transport, tlsServer);
    for (const domain of ["other.example", "host.wild.example", "127.0.0.2"]) {
      const { machine } = open({ ...server.target, domain }, trusting);
      equal((await machine.until("lost")).cause, "tls", domain);
    }
    for (const domain of ["EXAMPLE.com", LOOPBACK]) {
      const { machine } = open({ ...server.target, domain }, trusting);
      await machine.until("opened");
    }
  });

  test(`${transport}: a SIP URI in the certificate is the only name it has (R104, RFC 5922 §7.1)`, async () => {
    const server = await echo(transport, { tls: { certificate: certificateOf("sip-uri"), key } });
    const { machine } = open({ ...server.target, domain: "sip-only.example" }, trusting);
    await machine.until("opened");
    const other = open({ ...server.target, domain: "dns.example" }, trusting);
    equal((await other.machine.until("lost")).cause, "tls");
  });

  test(`${transport}: a certificate that has expired is a TLS loss, and the reason is told`, async () => {
    const server = await echo(transport, { tls: { certificate: certificateOf("expired"), key } });
    const events: TimedEvent[] = [];
    const { machine } = open(
      { ...server.target, domain: "example.com" },
      { ...trusting, sink: (event) => events.push(event) },
    );
    equal((await machine.until("lost")).cause, "tls");
    const told = events.find(({ event }) => event === "connection.distrusted");
    ok(String(told?.why).includes("expired"), JSON.stringify(events));
  });

  test(`${transport}: the server name sent is the configured domain, never an address (SNI, R104)`, async () => {
    const names: string[] = [];
    const server = createTlsServer({
      cert: certificate,
      key,
      SNICallback: (name, done) => {
        names.push(name);
        done(null);
      },
    });
    server.on("secureConnection", (socket) => socket.on("error", () => socket.destroy()));
    server.on("tlsClientError", () => undefined);
    server.listen(0, LOOPBACK);
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const target: Target = { transport, address: LOOPBACK, port };
    const limits = { ...trusting, limits: { connectMs: 500 } };
    for (const domain of ["example.com", LOOPBACK]) {
      const { machine, driver } = open({ ...target, domain }, limits);
      // Here nobody upgrades to WebSocket, so that wss is timed out after its handshake.
      if (transport === "tls") await machine.until("opened");
      else await machine.until("lost");
      await driver.stop();
    }
    deepEqual(names, ["example.com"]);
    server.close();
  });

  test(`${transport}: a client that shows a certificate has proven its domains (RFC 5922 §7.1)`, async () => {
    const asking: DriverOptions = {
      tls: { certificate, key, authorities: [authority], clients: "asked" },
    };
    const server = await echo(transport, asking);
    const target = { ...server.target, domain: "example.com" };
    const trunk = { tls: { authorities: [authority], certificate: certificateOf("trunk"), key } };
    await open(target, trunk).machine.until("opened");
    equal((await server.machine.until("opened")).peer.domains?.join(" "), "trunk.example");
    await open(target, trusting).machine.until("opened");
    const { peer } = await server.machine.until("opened", ({ flow }) => flow === -2);
    equal(peer.domains, undefined);
  });

  test(`${transport}: where certificates are asked for, one that proves nothing is told, and no certificate is not`, async () => {
    const events: TimedEvent[] = [];
    const server = await echo(transport, {
      tls: { certificate, key, authorities: [authority], clients: "asked" },
      sink: (event) => events.push(event),
    });
    const target = { ...server.target, domain: "example.com" };
    const expired = { authorities: [authority], certificate: certificateOf("expired"), key };
    for (const tls of [{ authorities: [authority] }, expired]) {
      await open(target, { tls }).machine.until("opened");
    }
    await server.machine.until("opened", ({ flow }) => flow === -2);
    const told = events.filter(({ event }) => event === "connection.distrusted");
    deepEqual(
      told.map(({ address, why }) => [address, why]),
      [[LOOPBACK, "CERT_HAS_EXPIRED"]],
    );
  });

  test(`${transport}: a server that misses our certificate says so, whether before or after we may send`, async () => {
    for (const [version, alert] of [
      ["TLSv1.2", "handshake failure"],
      ["TLSv1.3", "certificate required"],
    ] as const) {
      const server = createTlsServer({
        ...{ cert: certificate, key, ca: authority, maxVersion: version },
        ...{ requestCert: true, rejectUnauthorized: true },
      });
      server.on("tlsClientError", (_error, socket) => socket.destroy());
      server.listen(0, LOOPBACK);
      await once(server, "listening");
      const { port } = server.address() as AddressInfo;
      const events: TimedEvent[] = [];
      const target: Target = { transport, address: LOOPBACK, port, domain: "example.com" };
      const sink = (event: TimedEvent): number => events.push(event);
      const { machine } = open(target, { ...trusting, sink });
      equal((await machine.until("lost")).cause, "tls");
      const [told] = events.filter(({ event }) => event === "connection.distrusted");
      match(String(told?.why), new RegExp(`^[a-z0-9 ]*alert ${alert}$`));
      server.close();
    }
  });

  test(`${transport}: where certificates are demanded a client without one, or with an expired one, is told of and not let in`, async () => {
    const expired = { authorities: [authority], certificate: certificateOf("expired"), key };
    const demanding = { certificate, key, authorities: [authority], clients: "demanded" } as const;
    for (const [client, address, why] of [
      [{ authorities: [authority] }, LOOPBACK, "peer did not return a certificate"],
      [expired, undefined, "CERT_HAS_EXPIRED"],
    ] as const) {
      let tell = (_event: TimedEvent): void => undefined;
      const told = new Promise<TimedEvent>((resolve) => {
        tell = resolve;
      });
      const sink = (event: TimedEvent): void => {
        if (event.event === "connection.distrusted") tell(event);
      };
      const server = await echo(transport, { tls: demanding, sink });
      const target = { ...server.target, domain: "example.com" };
      await open(target, { tls: client }).machine.until("lost");
      deepEqual([(await told).address, (await told).why], [address, why]);
      equal(server.machine.facts.filter(({ fact }) => fact === "opened").length, 0);
    }
    const server = await echo(transport, { tls: demanding });
    const trunk = { ...expired, certificate: certificateOf("trunk") };
    await open({ ...server.target, domain: "example.com" }, { tls: trunk }).machine.until("opened");
    await server.machine.until("opened");
  });
}

for (const transport of ["tls", "wss"] as const)
  test(`${transport}: an unknown authority is a TLS loss, unless the very certificate is pinned`, async () => {
    const server = await echo(transport, tlsServer);
    const target: Target = { ...server.target, domain: "anything.example" };
    equal((await open(target).machine.until("lost")).cause, "tls");
    const wrong = open(target, { tls: { pinned: ["00:11"] } });
    equal((await wrong.machine.until("lost")).cause, "tls");
    ok(wrong.machine.facts.every(({ fact }) => fact !== "opened"));
    await open(target, { tls: { pinned: [fingerprint] } }).machine.until("opened");
    await open(target, { tls: { pinned: ["00:11", fingerprint] } }).machine.until("opened");
  });

test("a client that knows nothing above TLS 1.1 gets no connection", async () => {
  const server = await echo("tls", tlsServer);
  const old = connect({
    port: server.target.port,
    host: LOOPBACK,
    minVersion: "TLSv1",
    maxVersion: "TLSv1.1",
    ciphers: "DEFAULT:@SECLEVEL=0",
    rejectUnauthorized: false,
  });
  const [error] = (await once(old, "error")) as [Error];
  match(error.message, /protocol version|alert/i);
  equal(server.machine.facts.filter(({ fact }) => fact === "opened").length, 0);
});

test("TLS 1.1 is refused", async () => {
  const old = createTlsServer({
    cert: certificate,
    key,
    minVersion: "TLSv1",
    maxVersion: "TLSv1.1",
    ciphers: "DEFAULT:@SECLEVEL=0",
  });
  old.listen(0, "127.0.0.1");
  await once(old, "listening");
  const { port } = old.address() as AddressInfo;
  const { machine } = open(
    { transport: "tls", address: "127.0.0.1", port, domain: "example.com" },
    { tls: { authorities: [authority] } },
  );
  equal((await machine.until("lost")).cause, "tls");
  old.close();
});

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  test(`${version}: a second connection to the same domain and address resumes the session, another domain does not`, async () => {
    let resumed = 0;
    const server = createTlsServer({ cert: certificate, key, maxVersion: version }, (socket) => {
      if (socket.isSessionReused()) resumed += 1;
      socket.on("error", () => socket.destroy());
      socket.write("hello");
    });
    server.listen(0, LOOPBACK);
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const { machine, driver } = drive(trusting);
    const target: Target = { transport: "tls", address: LOOPBACK, port, domain: "example.com" };
    const opening = { from: 0, connected: true };
    for (const flow of [1, 2]) {
      driver.run(() => machine.outbox.open(flow, target, opening));
      await machine.until("received", (fact) => fact.flow === flow);
      driver.run(() => machine.outbox.close(flow));
    }
    driver.run(() => machine.outbox.open(3, { ...target, domain: "other.example" }, opening));
    equal((await machine.until("lost")).cause, "tls");
    equal(resumed, 1);
    server.close();
  });
}

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  test(`${version}: a session with a pinned certificate is resumed; with another none is, however often`, async () => {
    const server = createTlsServer({ cert: certificate, key, maxVersion: version }, (socket) => {
      socket.on("error", () => socket.destroy());
      socket.write("hello");
    });
    server.listen(0, LOOPBACK);
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const target: Target = { transport: "tls", address: LOOPBACK, port, domain: "example.com" };
    for (const [pin, outcome] of [
      [fingerprint, "received"],
      ["00:11", "lost"],
    ] as const) {
      const { machine, driver } = drive({ tls: { pinned: [pin] } });
      for (const flow of [1, 2, 3]) {
        driver.run(() => machine.outbox.open(flow, target, { from: 0, connected: true }));
        const first = await machine.until(outcome, (fact) => fact.flow === flow);
        equal(first.fact, outcome);
        if (outcome === "received") driver.run(() => machine.outbox.close(flow));
      }
    }
    server.close();
  });
}

test("a TLS listener without a certificate cannot be had, and says why", async () => {
  const events: TimedEvent[] = [];
  const { machine, driver } = drive({ sink: (event) => events.push(event) });
  driver.run(() => {
    machine.outbox.bind(1, { transport: "tls", address: "127.0.0.1", port: 0 });
    machine.outbox.bind(2, { transport: "wss", address: "127.0.0.1", port: 0 });
  });
  deepEqual(
    machine.facts.map((fact) => fact.fact === "lost" && fact.cause),
    ["tls", "tls"],
  );
  ok(JSON.stringify(events[0]).includes("certificate"));
});

test("a certificate's names are read as RFC 5922 §7.1 and §7.2 say", () => {
  const speaks = (
    subjectaltname: string | undefined,
    identity: string,
    CN = "cn.example",
  ): boolean =>
    speaksFor(
      {
        subject: { CN } as never,
        ...(subjectaltname === undefined ? {} : { subjectaltname }),
      } as never,
      identity,
    );
  equal(speaks("DNS:a.example", "a.example"), true);
  equal(speaks("DNS:A.Example.", "a.example"), true);
  equal(speaks("DNS:*.example", "a.example"), false);
  equal(speaks("URI:sip:a.example", "a.example"), true);
  equal(speaks("URI:sips:a.example", "a.example"), false);
  equal(speaks("URI:sip:alice@a.example", "a.example"), false);
  equal(speaks('DNS:"b.example, DNS:a.example"', "a.example"), false);
  equal(speaks("DNS:b.example, IP Address:127.0.0.1", "127.0.0.1"), true);
  equal(speaks("IP Address:2001:DB8:0:0:0:0:0:1", "2001:db8::1"), true);
  equal(speaks("DNS:127.0.0.1", "127.0.0.1"), false);
  equal(speaks("DNS:a.example, URI:sip:b.example", "a.example"), false);
  equal(speaks("DNS:a.example, URI:sip:alice@b.example", "a.example"), true);
  equal(speaks(undefined, "cn.example"), true);
  equal(speaks(undefined, "*.example", "*.example"), false);
  equal(speaks("DNS:b.example", "cn.example"), false);
});
