/** Flags that tune a transfer, and the readers of their values. */

import { type Command, InvalidArgumentError } from "commander";
import {
  type Codec,
  type Compression,
  type CongestionControl,
  isCompression,
  type Tuning,
} from "../index.ts";
import { duration } from "./duration.ts";

/** The tuning that a person asked for. */
export interface TuningFlags {
  writeConcurrency?: number;
  congestion?: CongestionControl;
  memoryMap?: true;
}

/** Adds the tuning flags that both sides have. */
export function addTuningFlags(command: Command): Command {
  return command
    .option("--write-concurrency <n>", "writes to disk under way at once", positiveInteger)
    .addOption(
      command
        .createOption("--congestion <name>", "congestion control")
        .choices(["bbr", "cubic", "newreno"]),
    );
}

/** The library's options for the flags that were given. */
export function tuningOf({ writeConcurrency, congestion, memoryMap }: TuningFlags) {
  const tuning: Partial<Tuning> = {};
  if (writeConcurrency) tuning.writeConcurrency = writeConcurrency;
  if (congestion) tuning.congestion = congestion;
  if (memoryMap) tuning.memoryMap = true;
  return tuning;
}

/** How pieces are compressed. */
export interface CompressFlag {
  compress: Compression;
}

/** Adds the flag for compression; what it means is for each side to say. */
export function addCompressFlag(command: Command, about: string): Command {
  return command.option("--compress <how>", about, compression, "auto");
}

/** How long to go on after a lost connection. */
export interface RetryFlag {
  /** Milliseconds. */
  retryFor?: number;
}

/** Adds the flag that both sides have for lost connections. */
export function addRetryFlag(command: Command): Command {
  const about = "how long to go on after a lost connection: 90s, 10m, 2h (default: 1h)";
  return command.option("--retry-for <time>", about, duration);
}

/** The codecs that a receiver takes for a word; undefined for all. Which level was used it cannot tell. */
export function codecsOf(compress: Compression): readonly Codec[] | undefined {
  if (compress === "auto") return undefined;
  return [compress.startsWith("zstd") ? "zstd" : compress === "lz4" ? "lz4" : "none"];
}

function compression(text: string): Compression {
  if (isCompression(text)) return text;
  throw new InvalidArgumentError("It must be auto, none, lz4, zstd, or zstd:1 to zstd:19.");
}

/** Reads a whole number from 1 up; anything else is a usage error. */
export function positiveInteger(text: string): number {
  if (!/^[1-9][0-9]{0,8}$/.test(text)) {
    throw new InvalidArgumentError("It must be a whole number, at least 1.");
  }
  return Number(text);
}
