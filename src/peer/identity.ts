/** The key pair that makes a peer recognisable, and the file it is kept in. */

import { createPrivateKey, createPublicKey, randomBytes } from "node:crypto";
import { link, mkdir, open, readFile, unlink } from "node:fs/promises";
import { join } from "node:path";
import envPaths from "env-paths";
import { TransferError } from "../errors.ts";

/** Who a peer is. */
export interface Identity {
  /** The Ed25519 secret key, 32 bytes; never shown or sent. */
  readonly secretKey: Uint8Array;
  /** The public key, 64 lower-case hex digits. */
  readonly peerId: string;
}

/**
 * The identity kept in a folder; made at first use, readable by its owner only.
 *
 * @param folder where `identity.key` is; by default `QUIVER_HOME` or the platform's configuration folder.
 * @throws {TransferError} `DISK_DENIED` or `DISK_FAILED` when it cannot be read or made.
 */
export async function loadIdentity(folder: string = configurationFolder()): Promise<Identity> {
  const path = join(folder, "identity.key");
  try {
    return identityOf(decode(path, await readFile(path, "utf8")));
  } catch (error) {
    if (errno(error) !== "ENOENT") throw diskError(path, error);
  }
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await createOnce(path, `${randomBytes(32).toString("hex")}\n`);
    return identityOf(decode(path, await readFile(path, "utf8")));
  } catch (error) {
    throw diskError(path, error);
  }
}

/** A new identity that is kept nowhere. */
export function temporaryIdentity(): Identity {
  return identityOf(randomBytes(32));
}

/** The folder of quiver's own files: `QUIVER_HOME`, or the platform's configuration folder. */
export function configurationFolder(): string {
  return process.env["QUIVER_HOME"] || envPaths("quiver", { suffix: "" }).config;
}

/** Writes a file whole or not at all; one that is there already wins, so that two first uses agree. */
async function createOnce(path: string, text: string): Promise<void> {
  const partial = `${path}.${process.pid}.partial`;
  const file = await open(partial, "wx", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(partial, path);
  } catch (error) {
    if (errno(error) !== "EEXIST") throw error;
  } finally {
    await unlink(partial);
  }
}

function decode(path: string, text: string): Uint8Array {
  const hex = text.trim();
  if (!/^[0-9a-f]{64}$/.test(hex)) {
    throw new TransferError(
      "DISK_FAILED",
      `${path} is not a quiver identity; move it away and a new one is made`,
    );
  }
  return Buffer.from(hex, "hex");
}

function identityOf(secretKey: Uint8Array): Identity {
  const der = Buffer.concat([pkcs8Header, secretKey]);
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  return { secretKey, peerId: spki.subarray(-32).toString("hex") };
}

function diskError(path: string, error: unknown): unknown {
  if (error instanceof TransferError) return error;
  const code = errno(error);
  if (code === "") return error;
  const denied = code === "EACCES" || code === "EPERM" || code === "EROFS";
  const message = `the identity ${path} cannot be used (${code}); set QUIVER_HOME to a folder of yours`;
  return new TransferError(denied ? "DISK_DENIED" : "DISK_FAILED", message, { cause: error });
}

function errno(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") {
    return error.code;
  }
  return "";
}

/** What comes before the 32 bytes in the PKCS #8 form of an Ed25519 key (RFC 8410, 7). */
const pkcs8Header = Buffer.from("302e020100300506032b657004220420", "hex");
