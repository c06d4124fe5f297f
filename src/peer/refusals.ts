/** What others are told whom this peer does not serve. */

import { TransferError } from "../errors.ts";

/** For a key alone, where its peer is not waited for. */
export const notAllowed = new TransferError(
  "PEER_REJECTED",
  "the other side lets in only peers that its person has named; ask there, and say your peer id (quiver id)",
);

/** For a proof that fits no ticket. */
export const unknownTicket = new TransferError(
  "PEER_REJECTED",
  "the ticket is not known to the sender: it was used, has expired, or is of another run; ask for a new one",
);

/** For offers to a peer that takes none. */
export const noOffers = ["PEER_REJECTED", "the peer takes no offers without a ticket"] as const;

/** For offers beyond those that may wait. */
export const tooManyOffers = ["LIMIT_EXCEEDED", "too many offers wait for an answer"] as const;
