/**
 * The public face of the simulator, `dialtone/sim`: virtual time for the machines of `dialtone/core`, and for any other
 * Machine. Equal seeds give equal runs.
 */
export {
  DROP,
  PASS,
  type Packet,
  REJECT,
  type Rule,
  type Verdict,
} from "../../core/network-rules.ts";
export { Network, type NetworkOptions, QUIET_NETWORK } from "./network.ts";
export { Prng } from "./prng.ts";
export { PURE_HASH, purePrimitives } from "./pure-primitives.ts";
export { type AliasRecord, type ServedRecord, SimulatedDns } from "./simulated-dns.ts";
export type { SimulatedHost } from "./simulated-host.ts";
export { SimulatedStore } from "./simulated-store.ts";
export { type SimulatedEvent, Simulation, type SimulationOptions } from "./simulation.ts";
export type { SimulatedMessage } from "./surroundings.ts";
