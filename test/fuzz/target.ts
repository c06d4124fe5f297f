/** What the fuzzer runs, and the promises that all parsers share. */

import assert from "node:assert/strict";
import { displayText } from "../../src/display-text.ts";
import { type ErrorCode, TransferError } from "../../src/errors.ts";

/** Something that reads the bytes of strangers. */
export interface Target {
  readonly name: string;
  /** Valid inputs, from which others are made. */
  readonly seeds: readonly Uint8Array[];
  /**
   * Reads an input and checks what comes of it; throws where a promise is broken.
   *
   * It returns in a few words what happened: an input that leads to something new is worth more
   * than another one that leads to the same.
   */
  run(input: Uint8Array): string | Promise<string>;
  /** Frees what the target holds; it may be run again. */
  close?(): Promise<void>;
}

/** What a parser made of an input. */
export type Reading<T> = { value: T } | { refusal: string };

/** Calls a parser. Any failure but a {@link TransferError} with one of `codes` is thrown on. */
export function reading<T>(codes: readonly ErrorCode[], read: () => T): Reading<T> {
  try {
    return { value: read() };
  } catch (error) {
    return { refusal: refusalOf(error, codes) };
  }
}

/** The words of a refusal, without numbers. Throws what is none. */
export function refusalOf(error: unknown, codes: readonly ErrorCode[]): string {
  if (!(error instanceof TransferError)) throw error;
  assert.ok(codes.includes(error.code), `${error.code}: ${error.message}`);
  assertHarmless(error.message);
  return `${error.code} ${error.message}`.replace(/\d+/g, "N").replace(/"[^"]*"/g, '""');
}

/** Checks a text that people are shown: nothing in it acts or hides, and it fits on a screen. */
export function assertHarmless(text: string): void {
  const escaped = displayText(text).replaceAll("\\\\", "\\");
  assert.equal(text, escaped, "the text of a failure acts or hides");
  assert.ok(text.length <= 1000, `the text of a failure has ${text.length} characters`);
}

/** A target whose values can be written again: the second reading must say the same. */
export function roundTrip<T>(parts: {
  name: string;
  seeds: readonly Uint8Array[];
  codes?: readonly ErrorCode[];
  read: (input: Uint8Array) => T;
  write: (value: T) => Uint8Array;
  /** What the value is, in a word. */
  kind?: (value: T) => string;
}): Target {
  const { name, seeds, read, write, codes = ["INVALID_FRAME"], kind = () => "read" } = parts;
  return {
    name,
    seeds,
    run(input) {
      const result = reading(codes, () => read(input));
      if ("refusal" in result) return result.refusal;
      assert.deepEqual(read(write(result.value)), result.value);
      return kind(result.value);
    },
  };
}
