// Calls somebody, plays a WAV file, and keeps what is heard meanwhile.
//   node call.mjs --server udp:127.0.0.1:5060 --user 2002 --password hall-2002 --domain example.com 2001 hello.wav heard.wav
import { parseArgs } from "node:util";
import { CallError, Phone } from "dialtone";

const text = { type: "string" };
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    server: { ...text, multiple: true },
    ...{ user: text, password: text, domain: text, bind: text },
  },
});
const [callee = "2001", spoken, heard = "heard.wav"] = positionals;

const phone = new Phone({
  servers: values.server ?? ["udp:127.0.0.1:5060"],
  user: values.user ?? "2002",
  password: values.password ?? "",
  ...(values.domain === undefined ? {} : { domain: values.domain }),
  ...(values.bind === undefined ? {} : { bind: values.bind }),
});

await phone.start();
try {
  await phone.registered({ signal: AbortSignal.timeout(10_000) });
  // Hangs up by itself if nobody answers within half a minute.
  const call = phone.call(callee);
  const patience = setTimeout(() => call.hangup(), 30_000).unref();
  await call.answered;
  clearTimeout(patience);
  const recorded = call.record(heard);
  call.sendDtmf("1");
  if (spoken !== undefined) await call.play(spoken);
  const { seconds, received } = await call.hangup();
  await recorded;
  console.log(`${seconds} s, ${received} packets heard, kept in ${heard}`);
} catch (error) {
  console.error(error instanceof CallError ? `${callee}: ${error.why}` : error);
  process.exitCode = 1;
} finally {
  await phone.stop();
}
