/** What a provisioning file may be at most, wherever it comes from. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readSource, whyUnread } from "../../src/worlds/node/source-file.ts";

const LIMIT = 1 << 20;

test("a file of 1 MiB is read, a longer one is not", async () => {
  const folder = mkdtempSync(join(tmpdir(), "dialtone-source-"));
  const path = join(folder, "phone.cfg");
  try {
    writeFileSync(path, "a".repeat(LIMIT));
    assert.equal((await readSource(path)).length, LIMIT);
    writeFileSync(path, "a".repeat(LIMIT + 1));
    await assert.rejects(readSource(path), /longer than 1 MiB/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a file without an end is left after its first MiB", async () => {
  await assert.rejects(readSource("/dev/zero"), /longer than 1 MiB/);
});

test("a file is read as UTF-8, as UTF-16 with its mark, or as Latin-1; what is no text is told", async () => {
  const folder = mkdtempSync(join(tmpdir(), "dialtone-source-"));
  const path = join(folder, "phone.cfg");
  const words = "account.1.display_name = Zoë";
  try {
    for (const bytes of [
      Buffer.from(words),
      Buffer.from(words, "latin1"),
      Buffer.from(`\ufeff${words}`, "utf16le"),
      Buffer.from(`\ufeff${words}`, "utf16le").swap16(),
    ]) {
      writeFileSync(path, bytes);
      const mark = bytes.length > 2 * words.length ? "\ufeff" : "";
      assert.equal(await readSource(path), mark + words, "the mark stays, to be told of");
    }
    writeFileSync(path, Buffer.from(words, "utf16le"));
    await assert.rejects(readSource(path), /it is no text/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("a folder and a file that is not there are told", async () => {
  for (const [path, why] of [
    ["/", /EISDIR/],
    ["/nowhere.cfg", /ENOENT/],
  ] as const) {
    await assert.rejects(readSource(path), (error) => why.test(whyUnread(error)));
  }
});

test("a download without an end is left after its first MiB", async () => {
  const server = createServer((_request, response) => {
    const chunk = Buffer.alloc(65_536, "a");
    const fill = (): void => {
      while (!response.destroyed && response.write(chunk)) {}
    };
    response.on("drain", fill);
    fill();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const { port } = server.address() as AddressInfo;
    await assert.rejects(readSource(`http://127.0.0.1:${port}/phone.cfg`), /longer than 1 MiB/);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
