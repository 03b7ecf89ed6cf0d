/** Drivers with recording machines for the tests of connections, stopped when the file is done. */
import { after } from "node:test";
import type { Target, TransportName } from "../../src/core/machine.ts";
import { Driver, type DriverOptions } from "../../src/worlds/node/driver.ts";
import { authority, certificate, key } from "./certificates.ts";
import { bytesOf, Recorder } from "./recorder.ts";

const drivers: Driver[] = [];
after(async () => {
  for (const driver of drivers) await driver.stop();
});

export function drive(options: DriverOptions = {}): { machine: Recorder; driver: Driver } {
  const machine = new Recorder();
  const driver = new Driver(machine, options);
  drivers.push(driver);
  return { machine, driver };
}

/** A machine that listens, and answers whatever comes with "echo: …". */
export async function echo(
  transport: TransportName,
  options: DriverOptions = {},
  address = "127.0.0.1",
): Promise<{ machine: Recorder; driver: Driver; target: Target }> {
  const { machine, driver } = drive(options);
  machine.react = (fact, outbox) => {
    if (fact.fact === "received") outbox.send(fact.flow, bytesOf(`echo: ${fact.text}`));
  };
  driver.run(() => machine.outbox.bind(1, { transport, address, port: 0 }));
  const { local } = await machine.until("bound");
  return { machine, driver, target: { transport, address, port: local.port } };
}

export function open(
  target: Target,
  options: DriverOptions = {},
  from = 0,
): { machine: Recorder; driver: Driver } {
  const driven = drive(options);
  driven.driver.run(() => driven.machine.outbox.open(5, target, { from, connected: true }));
  return driven;
}

export const tlsServer: DriverOptions = { tls: { certificate, key } };
export const trusting: DriverOptions = { tls: { authorities: [authority] } };
