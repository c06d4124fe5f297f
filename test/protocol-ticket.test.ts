/** Tickets as people handle them, and the proof that one is held. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { base32nopad } from "@scure/base";
import fc from "fast-check";
import { TransferError } from "../src/errors.ts";
import { isTicketProof, ticketProof } from "../src/protocol/proof.ts";
import { decodeTicket, encodeTicket } from "../src/protocol/ticket.ts";

const peerId = "0123456789abcdef".repeat(4);
const secret = new Uint8Array(16).fill(0x5a);
const whole = { peerId, secret, addresses: ["192.0.2.7:4433", "[2001:db8:0:0:0:0:0:1]:1"] };
const text = encodeTicket(whole);

const addresses = [
  { given: "0.0.0.0:0", read: "0.0.0.0:0" },
  { given: "255.255.255.255:65535", read: "255.255.255.255:65535" },
  { given: "[::]:0", read: "[0:0:0:0:0:0:0:0]:0" },
  { given: "[::1]:1", read: "[0:0:0:0:0:0:0:1]:1" },
  { given: "[1::]:1", read: "[1:0:0:0:0:0:0:0]:1" },
  { given: "[fe80::1%eth0]:1", read: "[fe80:0:0:0:0:0:0:1]:1" },
  { given: "[::ffff:192.0.2.7]:1", read: "[0:0:0:0:0:ffff:c000:207]:1" },
  { given: "[2001:DB8:1:2:3:4:5:6]:1", read: "[2001:db8:1:2:3:4:5:6]:1" },
];

for (const { given, read } of addresses) {
  test(`the address ${given} comes back as ${read}`, () => {
    assert.deepEqual(decodeTicket(encodeTicket({ ...whole, addresses: [given] })), {
      ...whole,
      addresses: [read],
    });
  });
}

test("a ticket can have no address, and has 16 at most", () => {
  const many = Array.from({ length: 20 }, (_, at) => `10.0.0.${at}:1`);

  assert.deepEqual(decodeTicket(encodeTicket({ ...whole, addresses: [] })).addresses, []);
  assert.deepEqual(
    decodeTicket(encodeTicket({ ...whole, addresses: many })).addresses,
    many.slice(0, 16),
  );
});

test("a ticket is one word of small letters and digits", () => {
  assert.match(text, /^quiver[a-z2-7]+$/);
});

const handled = [
  { text: text.toUpperCase(), why: "in capitals" },
  { text: `  ${text}\r\n`, why: "with white space around" },
  { text: text.replace(/.{20}/g, "$&\n  "), why: "broken over lines" },
  { text: `\ufeff${text}\u00a0`, why: "with white space that is not seen" },
];

for (const { text, why } of handled) {
  test(`a ticket ${why} is read`, () => {
    assert.deepEqual(decodeTicket(text), whole);
  });
}

const foreign = ["", "hello", "qui", "https://example.com/x", "blobabc", "wormhole 7-a-b"];

for (const text of foreign) {
  test(`${JSON.stringify(text)} is no ticket, and the error says what one begins with`, () => {
    assert.throws(() => decodeTicket(text), { ...wrong(), message: /begins with "quiver"/ });
  });
}

test("a ticket that is cut anywhere is refused as cut", () => {
  for (let length = "quiver".length; length < text.length; length += 1) {
    assert.throws(() => decodeTicket(text.slice(0, length)), { ...wrong(), message: /cut short/ });
  }
});

test("a ticket with any one character mistyped is refused as mistyped", () => {
  for (let at = "quiver".length; at < text.length; at += 1) {
    const other = text[at] === "a" ? "b" : "a";
    const mistyped = text.slice(0, at) + other + text.slice(at + 1);
    assert.throws(() => decodeTicket(mistyped), { ...wrong(), message: /mistyped/ });
  }
});

test("a ticket with more behind it is refused", () => {
  assert.throws(() => decodeTicket(`${text}a`), wrong());
  assert.throws(() => decodeTicket(text + text), wrong());
});

test("digits that base32 does not have are mistyped", () => {
  for (const digit of ["0", "1", "8", "=", "-", "ß", "ı"]) {
    assert.throws(() => decodeTicket(text + digit), { ...wrong(), message: /mistyped/ });
  }
});

test("a ticket of a later version asks for an update", () => {
  assert.throws(() => decodeTicket(sealed(Buffer.of(2, 9, 9))), { ...wrong(), message: /update/ });
});

const head = Buffer.concat([Buffer.of(1), Buffer.from(peerId, "hex"), secret]);
const broken = [
  { body: Buffer.alloc(0), why: "nothing" },
  { body: Buffer.of(1), why: "only a version" },
  { body: head, why: "no number of addresses" },
  { body: Buffer.concat([head, Buffer.of(1)]), why: "an address missing" },
  { body: Buffer.concat([head, Buffer.of(17)]), why: "17 addresses" },
  { body: Buffer.concat([head, Buffer.of(1, 5, 0, 0, 0, 0, 0, 0)]), why: "an unknown family" },
  { body: Buffer.concat([head, Buffer.of(1, 4, 0, 0, 0, 0, 0)]), why: "half a port" },
  { body: Buffer.concat([head, Buffer.of(1, 6, 0, 0, 0, 0, 0, 0)]), why: "a short IPv6 address" },
  { body: Buffer.concat([head, Buffer.of(0, 0)]), why: "a byte too many" },
];

for (const { body, why } of broken) {
  test(`a ticket with a right checksum is refused all the same: ${why}`, () => {
    assert.throws(() => decodeTicket(sealed(body)), wrong());
  });
}

test("an address that is none is a mistake of the program", () => {
  assert.throws(() => encodeTicket({ ...whole, addresses: ["example.com:1"] }), TypeError);
});

test("a ticket is read back, whatever it says", () => {
  const port = fc.nat(65_535);
  const byte = fc.nat(255);
  const group = fc.nat(65_535).map((value) => value.toString(16));
  const v4 = fc.tuple(byte, byte, byte, byte, port).map((all) => {
    return `${all.slice(0, 4).join(".")}:${all[4]}`;
  });
  const v6 = fc
    .tuple(fc.array(group, { minLength: 8, maxLength: 8 }), port)
    .map(([groups, last]) => `[${groups.join(":")}]:${last}`);
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  fc.assert(
    fc.property(
      bytes(32),
      bytes(16),
      fc.array(fc.oneof(v4, v6), { maxLength: 16 }),
      (id, key, list) => {
        const peerId = Buffer.from(id).toString("hex");
        const ticket = { peerId, secret: new Uint8Array(key), addresses: list };
        assert.deepEqual(decodeTicket(encodeTicket(ticket)), ticket);
      },
    ),
  );
});

test("whatever the text, it is a ticket or INVALID_ARGUMENT", () => {
  const afterPrefix = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.constantFrom(..."abcdefghijklmnopqrstuvwxyz234567") }),
    fc.string({ unit: "binary" }),
  );
  const sealedBody = fc.uint8Array({ maxLength: 120 }).map((body) => {
    body[0] = 1;
    return sealed(body);
  });
  const any = fc.oneof(
    fc.string(),
    afterPrefix.map((rest) => `quiver${rest}`),
    sealedBody,
  );
  fc.assert(
    fc.property(any, (text) => {
      try {
        decodeTicket(text);
      } catch (error) {
        assert.ok(
          error instanceof TransferError && error.code === "INVALID_ARGUMENT",
          String(error),
        );
      }
    }),
    { numRuns: 3000 },
  );
});

const material = new Uint8Array(32).fill(1);

test("a proof of the right secret on this connection is right", () => {
  const proof = ticketProof(secret, material);

  assert.equal(proof.length, 32);
  assert.ok(isTicketProof(proof, secret, material));
});

test("a proof of another secret is wrong", () => {
  const proof = ticketProof(new Uint8Array(16), material);

  assert.ok(!isTicketProof(proof, secret, material));
});

test("S1: a proof of another connection is wrong", () => {
  const proof = ticketProof(secret, new Uint8Array(32).fill(2));

  assert.ok(!isTicketProof(proof, secret, material));
});

test("a proof with a bit changed, a part of one and none are wrong", () => {
  const proof = ticketProof(secret, material);
  const changed = Uint8Array.from(proof, (byte, at) => (at === 31 ? byte ^ 1 : byte));

  for (const wrongProof of [changed, proof.subarray(1), proof.subarray(0, 0)]) {
    assert.ok(!isTicketProof(wrongProof, secret, material));
  }
});

test("a proof is HMAC-SHA256 as the document says, computed apart", () => {
  const pad = (byte: number) => Buffer.alloc(64).map((_, at) => byte ^ (secret[at] ?? 0));
  const sha256 = (...parts: Uint8Array[]) =>
    createHash("sha256").update(Buffer.concat(parts)).digest();
  const inner = sha256(pad(0x36), Buffer.from("quiver/1 ticket"), material);

  assert.deepEqual(ticketProof(secret, material), sha256(pad(0x5c), inner));
});

/** A ticket's text for any body, with its right checksum. */
function sealed(body: Uint8Array): string {
  const checksum = createHash("sha256")
    .update("quiver ticket")
    .update(body)
    .digest()
    .subarray(0, 4);
  return `quiver${base32nopad.encode(Buffer.concat([body, checksum])).toLowerCase()}`;
}

function wrong(): { name: string; code: string } {
  return { name: "TransferError", code: "INVALID_ARGUMENT" };
}
