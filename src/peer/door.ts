/** Lets others in: the holder of a ticket, a peer that its key lets in, and anyone as a guest. */

import type { Connection, EarlyCall, PeerLimits } from "../engine/engine.ts";
import { guestLimits } from "../options.ts";
import type { Hello } from "../protocol/messages.ts";
import type { Connections } from "./connections.ts";
import { background, noteSeen, type PeerContext } from "./context.ts";
import { answerEarly, type Greeted } from "./greeting.ts";
import type { Guests } from "./guests.ts";
import { notAllowed, unknownTicket } from "./refusals.ts";
import { Session, type SessionOptions } from "./session.ts";
import type { Tickets } from "./tickets.ts";

/** What a door leads to. */
export interface House {
  context: PeerContext;
  tickets: Tickets;
  guests: Guests;
  connections: Connections;
  /** Whether a peer is let in by its key alone. */
  isKnown: (peerId: string) => boolean;
  sessionOptions: () => SessionOptions;
}

/** Takes connections until the endpoint is closed. */
export async function acceptConnections(house: House): Promise<void> {
  for (;;) {
    const connection = await house.context.endpoint.accept();
    if (!connection) return;
    background(greet(house, connection, null));
  }
}

/** Takes calls that say hello with their first flight, until the endpoint is closed. */
export async function acceptEarlyCalls(house: House): Promise<void> {
  for (;;) {
    const call = await house.context.endpoint.acceptEarly();
    if (!call) return;
    background(greetEarly(house, call));
  }
}

/** Answers at once who is let in by its key; whether it has that key is known when the handshake is complete. */
async function greetEarly(house: House, call: EarlyCall): Promise<void> {
  const { peerId } = call;
  const isHeard = !house.context.callers.has(peerId) && mayEnter(house, peerId);
  const early = isHeard ? answerEarly(call, house.sessionOptions().hello) : null;
  early?.catch(() => {});
  // A copy that somebody else sends ends here.
  const connection = await call.proven();
  await greet(house, connection, early);
}

/** Whether a peer needs no ticket. */
function mayEnter({ context, isKnown }: House, peerId: string): boolean {
  return isKnown(peerId) || context.options.onOffer !== undefined;
}

async function greet(
  house: House,
  connection: Connection,
  early: Promise<Greeted> | null,
): Promise<void> {
  const { context, guests, connections } = house;
  if (!early && context.callers.take(connection)) return;
  const granted: { serve?: (session: Session) => void; isGuest?: true } = {};
  const admit = ({ proof }: Hello, material: Uint8Array): PeerLimits => {
    const serve = house.tickets.find(proof, material);
    const { receiveWindowBytes, maxStreams } = context.tuning;
    if (serve) granted.serve = serve;
    else if (proof.length > 0) throw unknownTicket;
    else if (!mayEnter(house, connection.peerId)) throw notAllowed;
    else if (!house.isKnown(connection.peerId)) {
      granted.isGuest = true;
      return guestLimits;
    }
    return { receiveWindowBytes, maxStreams };
  };
  const session = await Session.accept(connection, house.sessionOptions(), admit, early);
  noteSeen(context, connection);
  if (granted.serve) return granted.serve(session);
  if (granted.isGuest) guests.add(session);
  connections.keep(session);
}
