/** The addon's failures are codes of the table, and its bugs stay bugs. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { loadAddon } from "../src/engine/native-addon.ts";
import { failureOf, fromNative } from "../src/engine/native-error.ts";
import { isErrorCode, TransferError } from "../src/errors.ts";

test("every code of the addon is a code of the table, save the one for the peer's own numbers", () => {
  const unknown = loadAddon()
    .errorCodeNames()
    .filter((name) => !isErrorCode(name));

  assert.deepEqual(unknown, ["REMOTE"]);
});

const rejections = [
  { text: "DISK_FULL: a/b: no space", code: "DISK_FULL", message: "a/b: no space" },
  { text: "REMOTE: 6 the peer refused", code: "PEER_REJECTED", message: "the peer refused" },
  { text: "REMOTE: 0 the peer left", code: "CONNECTION_LOST", message: "the peer left" },
  { text: "REMOTE: 4711 what", code: "INVALID_FRAME", message: "what" },
];

for (const { text, code, message } of rejections) {
  test(`a rejection with "${text}" becomes ${code}`, () => {
    const error = fromNative(new Error(text));

    assert.ok(error instanceof TransferError);
    assert.deepEqual({ code: error.code, message: error.message }, { code, message });
  });
}

test("a rejection of another form is a bug and stays as it is", () => {
  const bug = new Error("Panic in async function");

  assert.equal(fromNative(bug), bug);
  assert.equal(failureOf(undefined), null);
});
