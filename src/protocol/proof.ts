/**
 * Proves that a peer holds a ticket's secret without sending it.
 *
 * The proof is HMAC-SHA256 of the connection's keying material under the secret: of no use on any
 * other connection, and a wrong one teaches nothing.
 */

import { createHmac, timingSafeEqual } from "node:crypto";

/** Label and context of the keying material (RFC 8446, 7.5). */
export const proofLabel = "EXPORTER-quiver/1-ticket";

/** The proof for one connection: 32 bytes. */
export function ticketProof(secret: Uint8Array, keyingMaterial: Uint8Array): Uint8Array {
  return createHmac("sha256", secret).update("quiver/1 ticket").update(keyingMaterial).digest();
}

/** Tells whether a proof is right, in the same time for all wrong ones. */
export function isTicketProof(
  proof: Uint8Array,
  secret: Uint8Array,
  keyingMaterial: Uint8Array,
): boolean {
  const expected = ticketProof(secret, keyingMaterial);
  return proof.length === expected.length && timingSafeEqual(proof, expected);
}
