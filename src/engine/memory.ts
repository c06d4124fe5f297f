/**
 * The engine in memory, for tests: no socket, no disk, and failures at will.
 *
 * All engines of one network can reach each other; each has a disk of its own.
 */

import { randomBytes } from "node:crypto";
import { type Clock, systemClock } from "../clock.ts";
import { TransferError } from "../errors.ts";
import type { Endpoint, EndpointOptions, Engine, Folder } from "./engine.ts";
import { MemoryDisk } from "./memory-disk.ts";
import { MemoryEndpoint } from "./memory-endpoint.ts";
import { MemoryHeldBytes } from "./memory-files.ts";
import { MemoryFolder } from "./memory-folder.ts";
import { mergePieces } from "./memory-hash.ts";
import { MemoryRateLimiter } from "./memory-limiter.ts";
import { Network } from "./memory-network.ts";

/** An engine with a disk that tests can prepare. */
export interface MemoryEngine extends Engine {
  /** Whose machine it is, in the words of the test. */
  readonly name: string;
  readonly disk: MemoryDisk;
}

/** A network that tests can cut. */
export interface MemoryNetwork {
  /** A machine on this network, with an empty disk or the one given. */
  engine(name?: string, disk?: MemoryDisk): MemoryEngine;
  /** Loses all connections as soon as so many more stream bytes have arrived; see `mend`. */
  cutAfter(bytes: number): void;
  /** Loses all connections now; new ones wait for `mend`. */
  cut(): void;
  /** Lets connections be made again. */
  mend(): void;
  /** Stream bytes that have arrived so far. */
  readonly carriedBytes: number;
}

/**
 * Makes a network without machines; `random` is where their random bytes come from, and by the clock
 * their limits go.
 */
export function createMemoryNetwork(
  random: (bytes: number) => Uint8Array = (bytes) => new Uint8Array(randomBytes(bytes)),
  clock: Clock = systemClock,
): MemoryNetwork {
  const network = new Network<MemoryEndpoint>();
  return {
    engine: (name = "machine", disk = new MemoryDisk()) =>
      engineOn(network, name, disk, { random, clock }),
    cutAfter: (bytes) => network.cutAfter(bytes),
    cut: () => network.cut(),
    mend: () => network.mend(),
    get carriedBytes() {
      return network.carriedBytes;
    },
  };
}

function engineOn(
  network: Network<MemoryEndpoint>,
  name: string,
  disk: MemoryDisk,
  { random, clock }: { random: Engine["random"]; clock: Clock },
): MemoryEngine {
  return {
    name,
    disk,
    mergePieces,
    random,
    async bind(options: EndpointOptions): Promise<Endpoint> {
      return new MemoryEndpoint(network, clock, options);
    },
    holdBytes: (bytes, offset) => new MemoryHeldBytes(new MemoryDisk(), bytes, offset),
    // Here everything is done on one thread, which is the test's own.
    busyMs: () => [],
    createLimiter: () => new MemoryRateLimiter(clock),
    async openFolder(path: string): Promise<Folder> {
      return new MemoryFolder(disk, disk.folderAt(path));
    },
    async readFile(path, mostBytes) {
      disk.check("openSource");
      const kind = disk.stat(path)?.kind;
      if (!kind) throw new TransferError("DISK_MISSING", `${path} is not there`);
      if (kind !== "file")
        throw new TransferError("DISK_FAILED", `${path} is not an ordinary file`);
      const bytes = disk.read(path);
      if (bytes.length <= mostBytes) return bytes;
      throw new TransferError("LIMIT_EXCEEDED", `${path} has more than ${mostBytes} bytes`);
    },
  };
}
