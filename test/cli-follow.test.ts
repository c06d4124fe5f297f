/** The command follows a transfer: events for programs, Ctrl-C, and a reader that goes away. */

import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { silentDisplay } from "../src/cli/display.ts";
import { follow } from "../src/cli/follow.ts";
import { JsonOutput } from "../src/cli/json-output.ts";
import { type Receipt, type Transfer, TransferError, type TransferEvent } from "../src/index.ts";
import { receiptFiles } from "./receipt-files.ts";

const transferId = "00";
const ready: TransferEvent = { type: "ready", transferId, ticket: "quiverabc" };
const receipt: Receipt = {
  transferId,
  files: receiptFiles([]),
  bytes: 0,
  wireBytes: 0,
  seconds: 1,
  bounds: [],
  skipped: [],
};

test("programs get every event as it is, one a line", async () => {
  const { stream, output } = outputs();
  const events: TransferEvent[] = [ready, { type: "receipt", ...receipt }];

  const result = await follow({ transfer: fake(events, receipt), output, show() {} });

  assert.deepEqual(result, receipt);
  assert.deepEqual(String(stream.read()).trimEnd().split("\n").map(parse), events);
});

test("a receipt of many files is one line, with all of them", async () => {
  const { stream, output } = outputs();
  const file = { size: 1, blake3: "00", status: "received" } as const;
  const list = Array.from({ length: 2500 }, (_, n) => ({ path: `"files":[] ${n}`, ...file }));
  const files = receiptFiles(list);
  const event: TransferEvent = { type: "receipt", ...receipt, files };

  const written = output.json.write(event);
  const text = await textOf(stream);

  await written;
  assert.deepEqual(parse(text), event);
  assert.equal(text.indexOf("\n"), text.length - 1);
});

test("a reader that goes away is no failure", async () => {
  const { stream, output } = outputs();
  const path = "x".repeat(2 ** 20);
  const files = receiptFiles([{ path, size: 1, blake3: "00", status: "received" }]);
  stream.on("error", () => {});

  const written = output.json.write({ type: "receipt", ...receipt, files });
  stream.destroy(new Error("EPIPE"));

  await written;
  await output.json.write(ready);
});

test("Ctrl-C cancels the transfer and says what remains", async () => {
  const { output } = outputs();
  const transfer = fake([ready], new TransferError("CANCELLED", "the transfer was cancelled"));

  const following = follow({
    transfer,
    output,
    show: () => process.emit("SIGINT"),
  });

  await assert.rejects(following, {
    code: "CANCELLED",
    message: "cancelled: 120 MB of 600 MB were sent; the same command goes on where it was",
  });
  assert.equal(transfer.cancelled, 1);
});

test("a cancellation by the other side is told as such", async () => {
  const { output } = outputs();
  const transfer = fake([ready], new TransferError("CANCELLED", "the transfer was cancelled"));

  const following = follow({ transfer, output, show() {} });

  await assert.rejects(following, { message: /^the other side cancelled: 120 MB of 600 MB/ });
});

test("another failure passes as it is, also after Ctrl-C", async () => {
  const { output } = outputs();
  const error = new TransferError("CONNECTION_LOST", "the connection is lost");

  const following = follow({
    transfer: fake([ready], error),
    output,
    show: () => process.emit("SIGTERM"),
  });

  await assert.rejects(following, error);
});

test("nothing watches for Ctrl-C after a transfer", async () => {
  const { output } = outputs();
  const before = process.listenerCount("SIGINT");

  await follow({ transfer: fake([], receipt), output, show() {} });

  assert.equal(process.listenerCount("SIGINT"), before);
});

test("an output knows whether its reader was told of the failure", () => {
  const json = new JsonOutput(new PassThrough());

  void json.write(ready);
  const before = json.endsWithError;
  void json.write({ type: "error", transferId, code: "DISK_FULL", message: "the disk is full" });

  assert.equal(before, false);
  assert.equal(json.endsWithError, true);
});

/** A transfer that tells `events` and ends with `end`. */
function fake(events: TransferEvent[], end: Receipt | Error) {
  const done = end instanceof Error ? Promise.reject(end) : Promise.resolve(end);
  done.catch(() => {});
  const transfer: Transfer & { cancelled: number } = {
    id: transferId,
    direction: "send",
    ticket: "",
    done,
    cancelled: 0,
    progress: () => ({
      transferId,
      bytes: 120_000_000,
      total: 600_000_000,
      files: 0,
      totalFiles: 1,
      throughput: 0,
      etaMs: null,
      lanes: 1,
      laneBytes: [],
      state: "moving",
      limit: null,
      wireBytes: 0,
      boundBy: null,
      rttMs: 0,
    }),
    limit() {},
    pause() {},
    resume() {},
    cancel() {
      this.cancelled += 1;
    },
    async *[Symbol.asyncIterator]() {
      yield* events;
    },
  };
  return transfer;
}

function outputs() {
  const stream = new PassThrough().setEncoding("utf8");
  const output = { display: silentDisplay(), json: new JsonOutput(stream), logger: undefined };
  return { stream, output };
}

/** Reads to the end of a line. */
async function textOf(stream: PassThrough): Promise<string> {
  let text = "";
  for await (const part of stream) {
    text += part;
    if (text.endsWith("\n")) break;
  }
  return text;
}

function parse(line: string): unknown {
  return JSON.parse(line);
}
