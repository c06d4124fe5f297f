/** Shows the offer of a ticket to those who only look: that uses nothing up, and disturbs no transfer. */

import { TransferError } from "../errors.ts";
import { type OfferHead, showOffer } from "../transfer/offering.ts";
import type { PeerContext } from "./context.ts";
import type { SentSources } from "./sent-sources.ts";
import type { Session } from "./session.ts";

/** The offer of one ticket, for one looker at a time: each look walks the disk. */
export class ShownOffer {
  readonly #context: PeerContext;
  readonly #sources: SentSources;
  #isTaken = false;

  constructor(context: PeerContext, sources: SentSources) {
    this.#context = context;
    this.#sources = sources;
  }

  /** Shows it over a session, and ends that; whatever happens there ends nothing else. */
  async show(session: Session, head: OfferHead): Promise<void> {
    if (this.#isTaken) return session.closeFor(busy);
    this.#isTaken = true;
    try {
      const { clock } = this.#context;
      await this.#sources.useAnew((source) => showOffer(session, source, head, clock));
      session.close();
    } catch (error) {
      session.closeFor(error);
    } finally {
      this.#isTaken = false;
    }
  }
}

const busy = new TransferError(
  "PEER_REJECTED",
  "somebody else looks at the offer just now; try again",
);
