/** Whether a SIP server that tells nobody is ready yet: it answers OPTIONS, whatever the answer is. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { pause } from "./crew.ts";

/** Whether anything answers there before long. */
export async function answers(port: number, address: string = "127.0.0.1"): Promise<boolean> {
  const socket = createSocket("udp4");
  let answered = false;
  socket.on("message", () => {
    answered = true;
  });
  // Nobody listens yet.
  socket.on("error", () => undefined);
  socket.bind(0, address);
  await once(socket, "listening");
  const place = `${address}:${socket.address().port}`;
  for (let attempt = 0; attempt < 100 && !answered; attempt += 1) {
    socket.send(ping(place, attempt), port, address);
    await pause(50);
  }
  socket.close();
  return answered;
}

function ping(place: string, attempt: number): string {
  return `OPTIONS sip:ready.invalid SIP/2.0\r
Via: SIP/2.0/UDP ${place};branch=z9hG4bKready${attempt};rport\r
Max-Forwards: 70\r
From: <sip:bench@ready.invalid>;tag=1\r
To: <sip:ready.invalid>\r
Call-ID: ready-${attempt}@${place}\r
CSeq: 1 OPTIONS\r
Content-Length: 0\r
\r
`;
}
