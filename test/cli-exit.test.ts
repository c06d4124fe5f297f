/** Every way for the command to end: its status and its sentence. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Command } from "commander";
import { failureOf } from "../src/cli/exit.ts";
import { type ErrorCode, TransferError } from "../src/index.ts";

const statuses: { code: ErrorCode; exit: number }[] = [
  { code: "INVALID_ARGUMENT", exit: 2 },
  { code: "ADDRESS_IN_USE", exit: 2 },
  { code: "PEER_UNREACHABLE", exit: 3 },
  { code: "CONNECTION_LOST", exit: 3 },
  { code: "CONTENT_MISMATCH", exit: 4 },
  { code: "INVALID_FRAME", exit: 5 },
  { code: "PEER_REJECTED", exit: 6 },
  { code: "DISK_FULL", exit: 7 },
  { code: "DISK_MISSING", exit: 7 },
  { code: "CANCELLED", exit: 130 },
];

for (const { code, exit } of statuses) {
  test(`${code} ends with ${exit} and its own sentence`, () => {
    const failure = failureOf(new TransferError(code, "the disk is full; make room"));

    assert.deepEqual(failure, { exit, text: "the disk is full; make room", code });
  });
}

test("what is not ours is a bug: status 1, with its stack and no code", () => {
  const failure = failureOf(new TypeError("x is not a function"));

  assert.equal(failure.exit, 1);
  assert.equal(failure.code, undefined);
  assert.match(failure.text, /bug of quiver.*TypeError: x is not a function\n {4}at /s);
});

test("a usage error is one sentence and ends with 2", () => {
  const failure = failureOf(commanderError(["--lane", "3"]));

  assert.equal(failure.exit, 2);
  assert.equal(failure.text, "unknown option '--lane' (Did you mean --lanes?); see quiver --help");
});

test("help is no failure", () => {
  assert.deepEqual(failureOf(commanderError(["--help"])), { exit: 0, text: "" });
});

function commanderError(args: string[]): unknown {
  const program = new Command("quiver").option("--lanes <n>").exitOverride();
  program.configureOutput({ outputError() {}, writeOut() {} });
  try {
    program.parse(args, { from: "user" });
  } catch (error) {
    return error;
  }
  return undefined;
}
