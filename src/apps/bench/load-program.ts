/**
 * `node load-program.js PORT OWN-PORT COUNT USERS PASSWORD|-`: registers the users in turn, a fixed number of requests under
 * way, and prints one JSON object. It never sleeps: a generator that sleeps in poll makes the server pay for waking it.
 */
import { createSocket } from "node:dgram";
import { LOST_MS, WINDOW } from "./load.ts";
import { registerMessage } from "./register-message.ts";

const DOMAIN = "sip.test";

interface Slot {
  readonly index: number;
  branch: string;
  user: number;
  /** 0: free. */
  sentAt: number;
  answeredChallenge: boolean;
}

const secret = process.argv[6] ?? "-";
const [port = 0, ownPort = 0, wanted = 0, people = 1] = [2, 3, 4, 5].map((at) =>
  Number(process.argv[at]),
);
const withPassword = secret !== "-";
const slots: Slot[] = Array.from({ length: WINDOW }, (_, index) => {
  return { index, branch: "", user: 0, sentAt: 0, answeredChallenge: false };
});
const nonces: (string | undefined)[] = [];
const counts: number[] = [];
// Later than any number of an earlier run: a million for each second.
let cseq = (Math.floor(Date.now() / 1000) % 2_000) * 1_000_000;
let [started, ok, lost, bad] = [0, 0, 0, 0];

const socket = createSocket({
  type: "udp4",
  recvBufferSize: 4 << 20,
  lookup: (name, _options, found) => found(null, name, 4),
});
socket.on("message", (bytes) => answered(bytes.toString("latin1")));
socket.bind(ownPort, "127.0.0.1", spin);

function spin(): void {
  const now = performance.now();
  for (const slot of slots) {
    if (slot.sentAt > 0 && now - slot.sentAt > LOST_MS) {
      lost += 1;
      slot.sentAt = 0;
    }
    if (slot.sentAt === 0 && started < wanted) {
      slot.user = started % people;
      started += 1;
      send(slot, now, false);
    }
  }
  if (started < wanted || slots.some(({ sentAt }) => sentAt > 0)) setImmediate(spin);
  else {
    process.stdout.write(`${JSON.stringify({ ok, lost, bad })}\n`);
    socket.close();
  }
}

function send(slot: Slot, now: number, answeredChallenge: boolean): void {
  cseq += 1;
  slot.sentAt = now;
  slot.branch = `z9hG4bK-${slot.index}-${cseq}`;
  slot.answeredChallenge = answeredChallenge;
  const nonce = withPassword ? nonces[slot.user] : undefined;
  const nonceCount = (counts[slot.user] ?? 0) + 1;
  counts[slot.user] = nonceCount;
  const user = `u${String(slot.user).padStart(7, "0")}`;
  const own = socket.address().port;
  const renewal = { user, domain: DOMAIN, password: secret, port: own, nonce, nonceCount };
  socket.send(registerMessage({ ...renewal, branch: slot.branch, cseq }), port, "127.0.0.1");
}

function answered(text: string): void {
  const at = text.indexOf("z9hG4bK-");
  const branch = text.slice(at, text.slice(at).search(/[;\r]/) + at);
  const slot = slots[Number(branch.split("-")[1])];
  if (slot === undefined || slot.sentAt === 0 || slot.branch !== branch) return;
  const status = text.slice(8, 11);
  if (status === "401" && withPassword && !slot.answeredChallenge) {
    nonces[slot.user] = /nonce="([^"]*)"/.exec(text)?.[1];
    counts[slot.user] = 0;
    send(slot, performance.now(), true);
    return;
  }
  slot.sentAt = 0;
  if (status === "200") ok += 1;
  else bad += 1;
}
