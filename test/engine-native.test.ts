/** The native engine keeps the contract, and notices peers that were killed and streams that were forgotten. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, symlink, truncate, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Connection } from "../src/engine/engine.ts";
import { openNativeEngine } from "../src/engine/native.ts";
import { encodeName } from "../src/lossless-name.ts";
import { atEnd } from "./ending.ts";
import {
  bound,
  type ContractDisk,
  connectedPair,
  engineContract,
  type Machine,
  until,
} from "./engine-contract.ts";

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");
const addon = new URL("../native/quiver.node", import.meta.url);

if (existsSync(addon)) {
  engineContract("native", async (t) => ({ alice: machineOf(t), bob: machineOf(t) }));
  declareNativeTests();
} else {
  test("the native engine keeps the contract", {
    skip: "native/quiver.node is not built: run npm start",
  });
}

function declareNativeTests(): void {
  test("a peer whose process was killed is lost after the idle time-out", async (t) => {
    const endpoint = await bound(t, machineOf(t), { idleTimeoutMs: 1_000, keepAliveMs: 300 });
    const peer = spawn(process.execPath, [dialler, endpoint.peerId, ...endpoint.addresses], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    atEnd(t, () => peer.kill("SIGKILL"));
    const connection = await endpoint.accept();
    const [line] = await once(createInterface(peer.stdout), "line");
    assert.equal(line, "connected");
    assert.ok(connection);
    const accepting = assert.rejects(connection.acceptUnidirectional(), {
      code: "CONNECTION_LOST",
    });

    peer.kill("SIGKILL");
    const reason = await connection.closed();

    assert.deepEqual([reason.by, reason.code], ["lost", 0]);
    await accepting;
  });

  test("a stream that a program forgets does not look finished to the peer", async (t) => {
    const { near, far } = await connectedPair(t, async () => ({
      alice: machineOf(t),
      bob: machineOf(t),
    }));
    await writeAndForget(near, Uint8Array.of(1));
    const receive = await far.acceptUnidirectional();
    await receive.read(1);
    let isOver = false;
    const reading = receive.read(1).finally(() => {
      isOver = true;
    });
    const refused = assert.rejects(reading, { message: "the peer abandoned the stream" });

    await until(() => {
      collectGarbage();
      return isOver;
    });

    await refused;
  });
}

/** Writes on a new stream, of which nobody has the handle afterwards. */
async function writeAndForget(connection: Connection, bytes: Uint8Array): Promise<void> {
  const stream = await connection.openUnidirectional();
  await stream.write(bytes);
}

function machineOf(t: TestContext): Machine {
  return { engine: openNativeEngine({ workerThreads: 1 }), disk: realDisk(t) };
}

/** The system's own disk; paths are lossless names, so that any name can be made. */
function realDisk(t: TestContext): ContractDisk {
  return {
    async makeFolder() {
      const path = await mkdtemp(join(tmpdir(), "quiver-contract-"));
      atEnd(t, () => rm(path, { recursive: true, force: true }));
      return path;
    },
    async put(path, bytes, mtimeMs) {
      const name = Buffer.from(encodeName(path));
      // First the cut: whoever has it mapped sees at once that it is shorter.
      if (existsSync(name)) await truncate(name, bytes.length);
      await writeFile(name, bytes, { flag: existsSync(name) ? "r+" : "w" });
      if (mtimeMs === undefined) return;
      // The middle of the millisecond: Node computes in seconds with fraction, which may fall short.
      const seconds = (mtimeMs + 0.5) / 1_000;
      await utimes(name, seconds, seconds);
    },
    async link(path, target) {
      await symlink(target, path);
    },
    read: (path) => readFile(path),
  };
}

const dialler = fileURLToPath(new URL("helpers/native-dialler.ts", import.meta.url));
