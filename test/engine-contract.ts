/**
 * What every engine must do, whatever it is made of.
 *
 * The promises are those of src/engine/engine.ts; the parts are in engine-contract-*.ts.
 */

import type { TestContext } from "node:test";
import type { Connection, Endpoint, EndpointOptions, Engine } from "../src/engine/engine.ts";
import { atEnd } from "./ending.ts";
import { bundleContract } from "./engine-contract-bundles.ts";
import { codecContract } from "./engine-contract-codecs.ts";
import { connectionContract } from "./engine-contract-connections.ts";
import { earlyContract } from "./engine-contract-early.ts";
import { fileContract } from "./engine-contract-files.ts";
import { folderContract } from "./engine-contract-folders.ts";
import { limitContract } from "./engine-contract-limits.ts";
import { logContract } from "./engine-contract-logs.ts";
import { manyContract } from "./engine-contract-many.ts";
import { runContract } from "./engine-contract-runs.ts";
import { streamContract } from "./engine-contract-streams.ts";

/** A machine of the contract: an engine, and a way past it to its disk. */
export interface Machine {
  engine: Engine;
  disk: ContractDisk;
}

/** The disk of a machine, by absolute paths made of lossless names. */
export interface ContractDisk {
  /** The path of a new empty folder. */
  makeFolder(): Promise<string>;
  /** Creates a file; one that is there gets new contents and stays the same file. */
  put(path: string, bytes: Uint8Array, mtimeMs?: number): Promise<void>;
  link(path: string, target: string): Promise<void>;
  read(path: string): Promise<Uint8Array>;
}

/** Two machines that can reach each other. */
export interface ContractMachines {
  alice: Machine;
  bob: Machine;
}

/** Makes machines that last as long as a test. */
export type MakeMachines = (t: TestContext) => Promise<ContractMachines>;

/** Declares all tests of the contract for one engine. */
export function engineContract(name: string, make: MakeMachines): void {
  connectionContract(name, make);
  earlyContract(name, make);
  streamContract(name, make);
  runContract(name, make);
  codecContract(name, make);
  bundleContract(name, make);
  limitContract(name, make);
  folderContract(name, make);
  manyContract(name, make);
  fileContract(name, make);
  logContract(name, make);
}

/** Two machines with an endpoint each, and a connection between them. */
export interface Pair extends ContractMachines {
  near: Connection;
  far: Connection;
  aliceEndpoint: Endpoint;
  bobEndpoint: Endpoint;
}

/** Opens a {@link Pair}; alice dials. */
export async function connectedPair(
  t: TestContext,
  make: MakeMachines,
  options: Partial<EndpointOptions> = {},
): Promise<Pair> {
  const { alice, bob } = await make(t);
  const aliceEndpoint = await bound(t, alice, options);
  const bobEndpoint = await bound(t, bob, options);
  const { near, far } = await connected(aliceEndpoint, bobEndpoint, options.maxStreams);
  return { alice, bob, near, far, aliceEndpoint, bobEndpoint };
}

/** Connects two endpoints; the one that is dialled admits the other. */
export async function connected(
  from: Endpoint,
  to: Endpoint,
  maxStreams = 1_024,
): Promise<{ near: Connection; far: Connection }> {
  const accepting = to.accept();
  const near = await from.connect(to.peerId, to.addresses, TIMEOUT_MS);
  const far = await accepting;
  if (!far) throw new Error("the endpoint was closed while it accepted");
  far.admit({ receiveWindowBytes: 64 * 1_048_576, maxStreams });
  return { near, far };
}

/** Binds an endpoint that is closed after the test. */
export async function bound(
  t: TestContext,
  machine: Machine,
  options: Partial<EndpointOptions> = {},
): Promise<Endpoint> {
  const endpoint = await machine.engine.bind({ ...endpointOptions(), ...options });
  atEnd(t, () => endpoint.close());
  return endpoint;
}

function endpointOptions(): EndpointOptions {
  return {
    secretKey: crypto.getRandomValues(new Uint8Array(32)),
    listen: ["127.0.0.1:0"],
    alpn: "quiver-contract/1",
    congestion: "bbr",
    streamWindowBytes: 1_048_576,
    receiveWindowBytes: 64 * 1_048_576,
    sendWindowBytes: 64 * 1_048_576,
    maxStreams: 1_024,
    idleTimeoutMs: 10_000,
    keepAliveMs: 2_000,
    initialRttMs: 100,
    handshakeTimeoutMs: 10_000,
    strangerWindowBytes: 16_384,
    maxStrangers: 256,
    maxStrangersPerAddress: 16,
    maxStrangerFailures: 10,
    refusalMs: 60_000,
    writeConcurrency: 64,
    encodeConcurrency: 2,
  };
}

/** Bytes that differ from place to place, and with `seed` from file to file. */
export function patterned(length: number, seed = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (at * 31 + (at >> 8) + (at >> 16) + seed) & 255);
}

/** Resolves when `isTrue` says so; for what can only be seen from outside. */
export async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setImmediate(resolve));
}

/** Long enough for any machine; a test that waits for it fails. */
export const TIMEOUT_MS = 10_000;
