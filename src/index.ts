/** quiver as a library: everything that programs may import. */

export { displayText } from "./display-text.ts";
export { type ErrorCode, errorCodes, TransferError } from "./errors.ts";
export { type CongestionControl, defaultTuning, type Tuning, ticketLifeMs } from "./options.ts";
export { AddressBook, type KnownPeer, type NewPeer } from "./peer/address-book.ts";
export { configurationFolder, type Identity, loadIdentity } from "./peer/identity.ts";
export { listPartials, removePartials } from "./peer/partials.ts";
export { Peer } from "./peer/peer.ts";
export type {
  OfferAnswer,
  PeerOptions,
  ReceiveOptions,
  SendOptions,
} from "./peer/peer-options.ts";
export type { Share, ShareOptions } from "./peer/shares.ts";
export type { ListedEntry } from "./protocol/request-messages.ts";
export type { ConflictPolicy } from "./transfer/conflicts.ts";
export type {
  Conflict,
  ConflictChoice,
  FileStatus,
  Logger,
  OfferedItem,
  OfferSummary,
  ProfileName,
  Receipt,
  ReceiptFile,
  ReceiptFiles,
  SkippedThing,
  TransferEvent,
  TransferProgress,
} from "./transfer/events.ts";
export { LogLines } from "./transfer/log-lines.ts";
export type { PartialTransfer } from "./transfer/partials.ts";
export type { Transfer } from "./transfer/transfer.ts";
