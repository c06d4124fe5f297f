/** The parsers of src/protocol. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { base32nopad } from "@scure/base";
import { decodeEntries, encodeEntries } from "../../src/protocol/entry.ts";
import { decodeCbor, encodeFrame, frameBodyBytes } from "../../src/protocol/frame.ts";
import {
  decodeBundleEntries,
  decodeLaneHeader,
  decodeStreamTag,
  decodeUnitHeader,
  encodeLaneHeader,
  encodeProgressHeader,
  encodeUnit,
  type LaneFormat,
  laneFormatOf,
  streamTagBytes,
} from "../../src/protocol/lane.ts";
import { decodeMessage, encodeMessage } from "../../src/protocol/message-codec.ts";
import { decodeProgress, encodeProgress } from "../../src/protocol/progress-message.ts";
import { decodeTicket, encodeTicket } from "../../src/protocol/ticket.ts";
import { block, bodyOf, messageNames } from "./document.ts";
import { isStrictCbor } from "./strict-cbor.ts";
import { reading, roundTrip, type Target } from "./target.ts";

const messages = messageNames.map(bodyOf);
const batch = bodyOf("entries").subarray(22, 22 + 78);

/** Bytes to text as a ticket's, with the checksum that belongs to them. */
function ticketText(body: Uint8Array): string {
  const checksum = createHash("sha256").update("quiver ticket").update(body).digest();
  const whole = Buffer.concat([body, checksum.subarray(0, 4)]);
  return `quiver${base32nopad.encode(whole).toLowerCase()}`;
}

const ticketBody = block("ticket").subarray(0, -4);

const ticketText_: Target = roundTrip({
  name: "ticket",
  seeds: [Buffer.from(ticketText(ticketBody))],
  codes: ["INVALID_ARGUMENT"],
  read: (input) => decodeTicket(Buffer.from(input).toString("utf8")),
  write: (ticket) => Buffer.from(encodeTicket(ticket)),
});

const ticketFields: Target = roundTrip({
  name: "ticket-fields",
  seeds: [ticketBody],
  codes: ["INVALID_ARGUMENT"],
  read: (input) => decodeTicket(ticketText(input)),
  write: (ticket) => {
    const text = encodeTicket(ticket).slice("quiver".length).toUpperCase();
    return base32nopad.decode(text).subarray(0, -4);
  },
  kind: ({ addresses }) => `${addresses.length} addresses`,
});

const frameHeader: Target = {
  name: "frame",
  seeds: messageNames.map((name) => block(name).subarray(0, 4)),
  run(input) {
    const result = reading(["INVALID_FRAME"], () => frameBodyBytes(input));
    if ("refusal" in result) return result.refusal;
    assert.equal(input.length, 4);
    assert.ok(result.value > 0 && result.value <= 1_048_576);
    return "length";
  },
};

/** What is taken is by the rules and can be written again; what is refused breaks one. */
const cbor: Target = {
  name: "cbor",
  seeds: [...messages, bodyOf("progress"), batch],
  run(input) {
    const isByTheRules = isStrictCbor(input);
    const result = reading(["INVALID_FRAME"], () => decodeCbor(input));
    if ("refusal" in result) {
      assert.notEqual(isByTheRules, true, result.refusal);
      return result.refusal;
    }
    assert.notEqual(isByTheRules, false);
    const written = encodeFrame(result.value).subarray(4);
    assert.deepEqual(encodeFrame(decodeCbor(written)).subarray(4), written);
    return typeof result.value;
  },
};

/** The tag and the header of a stream, as a receiver of lanes reads them. */
const streamHeader: Target = {
  name: "stream",
  seeds: [block("lane"), block("progress header")],
  run(input) {
    const result = reading(["INVALID_FRAME", "UNSUPPORTED_FORMAT"], () => {
      const tag = decodeStreamTag(input.subarray(0, streamTagBytes));
      const rest = input.subarray(streamTagBytes);
      if (tag.kind === "progress") {
        const transferId = Buffer.from(rest.subarray(0, 16)).toString("hex");
        return { kind: "progress", bytes: encodeProgressHeader(transferId) };
      }
      const format = laneFormatOf(tag.format);
      return { kind: format, bytes: encodeLaneHeader(tag.format, decodeLaneHeader(rest)) };
    });
    if ("refusal" in result) return result.refusal;
    const { kind, bytes } = result.value;
    assert.deepEqual(Buffer.from(bytes), Buffer.from(input.subarray(0, bytes.length)));
    return kind;
  },
};

function unitHeader(format: LaneFormat): Target {
  return {
    name: `${format}-unit`,
    seeds:
      format === "standard"
        ? [block("standard run")]
        : [block("ultra run"), block("bundle").subarray(0, 22)],
    run(input) {
      const result = reading(["INVALID_FRAME"], () => decodeUnitHeader(format, input));
      if ("refusal" in result) return result.refusal;
      const unit = result.value;
      if (unit.kind === "bundle") {
        assert.ok(unit.files > 0 && unit.files <= 4096);
        return "bundle";
      }
      assert.equal(unit.offset % unit.pieceBytes, 0);
      assert.ok(unit.pieceBytes >= 1024 && unit.pieceBytes <= 16_777_216);
      const again = encodeUnit(format, { ...unit, length: unit.length ?? 0 });
      assert.deepEqual(Buffer.from(again), Buffer.from(input));
      return "run";
    },
  };
}

const bundleList: Target = {
  name: "bundle-list",
  seeds: [block("bundle").subarray(22)],
  run(input) {
    const result = reading(["INVALID_FRAME"], () => decodeBundleEntries(input));
    if ("refusal" in result) return result.refusal;
    const again = encodeUnit("ultra", { kind: "bundle", entries: result.value }).subarray(22);
    assert.deepEqual(Buffer.from(again), Buffer.from(input));
    return "list";
  },
};

/** Every parser of the protocol that needs no engine. */
export const protocolTargets: readonly Target[] = [
  ticketText_,
  ticketFields,
  frameHeader,
  cbor,
  roundTrip({
    name: "message",
    seeds: messages,
    read: decodeMessage,
    write: (message) =>
      message ? encodeMessage(message).subarray(4) : encodeFrame({ type: "?" }).subarray(4),
    kind: (message) => message?.type ?? "a type that is not known",
  }),
  roundTrip({
    name: "progress",
    seeds: [bodyOf("progress")],
    read: decodeProgress,
    write: (message) => encodeProgress(message).subarray(4),
  }),
  roundTrip({
    name: "entries",
    seeds: [batch],
    read: decodeEntries,
    write: encodeEntries,
    kind: (entries) => [...new Set(entries.map(({ kind }) => kind))].sort().join(),
  }),
  streamHeader,
  unitHeader("ultra"),
  unitHeader("standard"),
  bundleList,
];
