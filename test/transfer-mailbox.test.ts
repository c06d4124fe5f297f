/** What a mailbox says of failures. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { TransferError } from "../src/errors.ts";
import { Mailbox } from "../src/transfer/mailbox.ts";

const lost = new TransferError("CONNECTION_LOST", "the sender dialled again");
const closed = new TransferError("CANCELLED", "the connection was closed on this side");
const full = new TransferError("DISK_FULL", "there is no room");

for (const { title, failure, error, cause } of [
  {
    title: "a connection closed here was closed for it",
    failure: lost,
    error: closed,
    cause: lost,
  },
  { title: "a disk fails by itself", failure: lost, error: full, cause: full },
  { title: "no failure is no cause", failure: null, error: closed, cause: closed },
]) {
  test(`why work has failed: ${title}`, () => {
    const mailbox = new Mailbox<number>();
    if (failure) mailbox.fail(failure);

    assert.equal(mailbox.causeOf(error), cause);
  });
}
