/** Opens a stage with two processes of ours, or one Kamailio if told so, says their pids, and stays to be ended. */
import { Blocks } from "../../src/apps/lab/block.ts";
import { LabStage } from "../../src/apps/lab/stage.ts";

const KAMAILIO = { program: "kamailio", config: undefined, expiresSeconds: 60 } as const;

const stage = new LabStage({ program: process.argv[2] as string, blocks: new Blocks() });
process.on("SIGTERM", () => void stage.close().then(() => process.exit(143)));
process.on("SIGUSR2", () => {
  throw new Error("a crash");
});
await stage.open({
  domain: "lab.test",
  zone: undefined,
  servers:
    process.argv[3] === "kamailio"
      ? [{ name: "primary", role: "working", location: "own", up: true, guest: KAMAILIO }]
      : [
          { name: "primary", role: "working", location: "shared", up: true },
          { name: "secondary", role: "working", location: "shared", up: true },
        ],
  phones: [],
});
const pids = stage.records.flatMap((record) => (record.pid === undefined ? [] : [record.pid]));
process.stdout.write(`${pids.join(" ")}\n`);
setInterval(() => undefined, 60_000);
