// npm and npx put a shell between themselves and the command. A SIGTERM to them ends that shell and never comes here:
// who has lost its parent ends in order too.
const LOOK_MS = 300;

const parent = process.ppid;
const watch = setInterval(() => {
  if (process.ppid === parent) return;
  clearInterval(watch);
  process.kill(process.pid, "SIGHUP");
}, LOOK_MS);
watch.unref();
