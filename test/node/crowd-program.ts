/**
 * A crowd for the tests of limits, in a process of its own, which has file descriptors of its own: opens connections to
 * 127.0.0.1, says so when all are open or declined, and ends when all are closed again.
 */
import { connect } from "node:net";

const [port = "0", count = "0"] = process.argv.slice(2);
const most = Number(count);
let begun = 0;
let settled = 0;

/** A few at a time, as the backlog of any listener wants it. */
function more(): void {
  if (begun === most) return;
  begun += 1;
  const socket = connect(Number(port), "127.0.0.1");
  let open = false;
  const settle = (): void => {
    if (open) return;
    open = true;
    settled += 1;
    if (settled === most) process.stdout.write("open\n");
    more();
  };
  socket.on("connect", settle);
  socket.on("error", () => undefined);
  socket.on("close", settle);
  socket.resume();
}

for (let first = 0; first < 64; first += 1) more();
