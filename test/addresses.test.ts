/** What is an address, and which addresses a peer tells others. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { TransferError } from "../src/errors.ts";
import { parseAddress, reachableAddresses } from "../src/peer/addresses.ts";

const good = ["192.0.2.1:4433", "0.0.0.0:0", "[2001:db8::1]:4433", "[::]:0", "127.0.0.1:65535"];
for (const text of good) {
  test(`${text} is an address`, () => {
    assert.equal(parseAddress(text), text);
  });
}

const bad = [
  { text: "4433", why: "a port alone" },
  { text: "192.0.2.1", why: "no port" },
  { text: "192.0.2.1:65536", why: "no such port" },
  { text: "192.0.2.256:1", why: "no such address" },
  { text: "example.org:4433", why: "a name" },
  { text: "::1:4433", why: "IPv6 without brackets" },
  { text: "[192.0.2.1]:4433", why: "IPv4 in brackets" },
  { text: "", why: "nothing" },
];
for (const { text, why } of bad) {
  test(`"${text}" is refused: ${why}`, () => {
    assert.throws(
      () => parseAddress(text),
      (error) => error instanceof TransferError && error.code === "INVALID_ARGUMENT",
    );
  });
}

test("an address of one card is told as it is", () => {
  assert.deepEqual(reachableAddresses(["192.0.2.1:5000"]), ["192.0.2.1:5000"]);
});

test("an unspecified address stands for those of the cards, with its port", () => {
  const addresses = reachableAddresses(["0.0.0.0:5000", "[::]:5001"]);

  assert.ok(addresses.length > 0);
  for (const address of addresses) {
    assert.match(address, /:500[01]$/);
    assert.doesNotMatch(address, /^0\.0\.0\.0|^\[::\]|fe80/);
  }
});
