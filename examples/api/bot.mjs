// A bot with a telephone number: it registers, echoes messages, and answers calls by telling back the keys it hears.
//   node bot.mjs --server udp:127.0.0.1:5060 --user 2001 --password desk-2001 --domain example.com
import { parseArgs } from "node:util";
import { Phone, tone } from "dialtone";

const text = { type: "string" };
const { values } = parseArgs({
  options: {
    server: { ...text, multiple: true },
    ...{ user: text, password: text, domain: text, bind: text },
  },
});

const phone = new Phone({
  // Several servers are tried in this order; when one dies the next takes over.
  servers: values.server ?? ["udp:127.0.0.1:5060"],
  user: values.user ?? "2001",
  password: values.password ?? "",
  ...(values.domain === undefined ? {} : { domain: values.domain }),
  ...(values.bind === undefined ? {} : { bind: values.bind }),
});

phone.on("registration.accepted", ({ target, expires }) => {
  console.log(`registered at ${target} for ${expires} s`);
});
phone.on("request.failed-over", ({ method, from, to, why }) => {
  console.log(`${method} goes on from ${from} to ${to}: ${why}`);
});

phone.handle("MESSAGE", async ({ body, headers }) => {
  console.log(`message from ${headers.get("from")}: ${body}`);
  return 200;
});

phone.on("call", async (call) => {
  console.log(`${call.peer} calls`);
  call.on("key-pressed", ({ key }) => {
    console.log(`key ${key}`);
    call.sendDtmf(key);
  });
  call.ended.then(({ why, seconds }) => console.log(`over after ${seconds} s: ${why}`));
  await call.answer();
  await call.play(tone(440));
});

process.once("SIGINT", () => phone.stop());
process.once("SIGTERM", () => phone.stop());
await phone.start();
