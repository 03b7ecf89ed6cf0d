/** Keep-alives of both kinds and both sides (RFC 5626 §4.4, §8). */
import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { printBindingAnswer, readStun, type StunMessage } from "../../../src/core/message/stun.ts";
import type { Flow } from "../../../src/core/transaction/user.ts";
import { incoming, Stage } from "./stage.ts";

const TCP = { transport: "tcp" } as const;

class Vigil {
  readonly stage: Stage = new Stage();
  readonly flow: Flow;

  constructor(peer: { transport?: "tcp" | "ws" } = {}) {
    this.flow = this.stage.flow(peer);
    this.stage.layer.watch(this.flow, this.stage.flowUser("watcher"));
    this.stage.script.take();
  }

  keep(promised: boolean): this {
    this.stage.script.do((now) => this.stage.layer.keepAlive(now, this.flow, promised));
    return this;
  }

  get sent(): Buffer[] {
    return this.stage.script.sent.map(({ text }) => Buffer.from(text, "latin1"));
  }

  receive(bytes: Uint8Array | string): this {
    const text = typeof bytes === "string" ? bytes : Buffer.from(bytes).toString("latin1");
    this.stage.script.receive(this.flow.id, text);
    return this;
  }

  /** The far end answers the latest Binding request, having seen that address. */
  answer(address: string, port: number): this {
    const request = readStun(this.sent.at(-1) as Buffer) as StunMessage;
    return this.receive(printBindingAnswer(request, address, port));
  }

  until(instant: number): this {
    this.stage.script.until(instant);
    return this;
  }

  /** What the watcher was told, with the instant. */
  get told(): string[] {
    return this.stage.script.take().filter((line) => line.includes("watcher"));
  }
}

suite("a connection", () => {
  test("whose peer has promised pongs is dead 10 s after a ping without one, the first already (R94)", () => {
    const vigil = new Vigil(TCP).keep(true);
    assert.deepEqual(vigil.until(9_999).told, []);
    assert.deepEqual(vigil.until(20_000).told, ["10.0 watcher: unreached, timeout"]);
  });

  test("lives on if anything at all is heard in those 10 s", () => {
    for (const bytes of ["\r\n", incoming("OPTIONS")]) {
      const vigil = new Vigil(TCP).keep(true).until(9_000).receive(bytes).until(60_000);
      assert.deepEqual(vigil.told, []);
    }
  });

  test("whose peer has promised nothing and never ponged is not judged by its silence", () => {
    assert.deepEqual(new Vigil(TCP).keep(false).until(60_000).told, []);
  });

  test("is not judged by a second ping later than by the first", () => {
    const vigil = new Vigil(TCP).keep(true).until(6_000).keep(true).until(30_000);
    assert.deepEqual(vigil.told, ["10.0 watcher: unreached, timeout"]);
  });

  test("of a server answers a double CRLF with a single one, WebSocket too (R94)", () => {
    for (const transport of ["tcp", "ws"] as const) {
      const vigil = new Vigil({ transport }).receive("\r\n\r\n");
      assert.deepEqual(vigil.sent.map(String), ["\r\n"]);
    }
  });
});

suite("a datagram flow", () => {
  test("gets CRLFs where nothing was promised, and nothing follows from silence", () => {
    const vigil = new Vigil().keep(false).until(60_000);
    assert.deepEqual(vigil.sent.map(String), ["\r\n\r\n"]);
    assert.deepEqual(vigil.told, []);
  });

  test("is asked by STUN four times and given up after 7.5 s, as a silent server is (R96)", () => {
    const vigil = new Vigil().keep(true).until(30_000);
    const at = vigil.stage.script.sent.map((sent) => sent.at);
    assert.deepEqual(at, [0, 500, 1500, 3500]);
    assert.equal(new Set(vigil.sent.map((bytes) => bytes.toString("hex"))).size, 1);
    assert.deepEqual(vigil.told, ["7.5 watcher: unreached, timeout"]);
  });

  test("whose peer had promised answers, and is not to be bothered, gets CRLFs in between", () => {
    const vigil = new Vigil().keep(true).answer("192.0.2.9", 5060).until(30_000).keep(false);
    assert.equal(String(vigil.sent.at(-1)), "\r\n\r\n");
    assert.deepEqual(vigil.until(60_000).told, []);
  });

  test("says whether its peer had to be asked more than once", () => {
    const vigil = new Vigil().keep(true).answer("192.0.2.9", 5060);
    assert.equal(vigil.flow.late, false);
    vigil.until(30_000).keep(true).until(30_700).answer("192.0.2.9", 5060);
    assert.equal(vigil.flow.late, true);
    vigil.until(60_000).keep(true).answer("192.0.2.9", 5060);
    assert.equal(vigil.flow.late, false);
  });

  test("that answers lives on, each time with a transaction of its own", () => {
    const vigil = new Vigil().keep(true).answer("192.0.2.9", 5060).until(30_000);
    vigil.keep(true).answer("192.0.2.9", 5060).until(60_000);
    assert.deepEqual(vigil.told, []);
    assert.notDeepEqual(vigil.sent[0], vigil.sent[1]);
  });

  test("whose mapped address is another than before has failed (R96)", () => {
    const vigil = new Vigil().keep(true).answer("192.0.2.9", 5060).until(30_000);
    assert.deepEqual(vigil.keep(true).answer("192.0.2.9", 5061).told, [
      "30.0 watcher: unreached, moved",
    ]);
  });

  test("is not moved by an answer to something else, nor by an error", () => {
    const vigil = new Vigil().keep(true).answer("192.0.2.9", 5060).until(30_000).keep(true);
    const asked = readStun(vigil.sent.at(-1) as Buffer) as StunMessage;
    const stranger = { ...asked, bytes: Buffer.alloc(20) };
    vigil.receive(printBindingAnswer(stranger, "192.0.2.66", 1));
    vigil.receive(printBindingAnswer({ ...asked, unknown: [0x33] }, "192.0.2.66", 1));
    assert.deepEqual(vigil.until(60_000).told, []);
  });

  test("of a server answers Binding requests with the address they came from, and makes nothing of the rest", () => {
    const vigil = new Vigil();
    const phone = new Vigil().keep(true);
    vigil.receive(phone.sent[0] as Buffer);
    const { address, port } = vigil.flow.peer;
    const [high = 0, low = 0] = [0, 2].map((at) =>
      Buffer.from(address.split(".").map(Number)).readUInt16BE(at),
    );
    assert.deepEqual(readStun(vigil.sent.at(-1) as Buffer)?.mapped, [port, high, low]);
    vigil.receive(vigil.sent.at(-1) as Buffer).receive(Buffer.from("0001", "hex"));
    assert.equal(vigil.sent.length, 1);
    assert.equal(vigil.stage.layer.transactions, 0);
  });
});
