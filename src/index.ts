/** quiver as a library: everything that programs may import. */

export type { Codec } from "./codec.ts";
export { displayText } from "./display-text.ts";
export { type ErrorCode, errorCodes, TransferError } from "./errors.ts";
export { type CongestionControl, defaultTuning, type Tuning, ticketLifeMs } from "./options.ts";
export { AddressBook, type KnownPeer, type NewPeer } from "./peer/address-book.ts";
export { configurationFolder, type Identity, loadIdentity } from "./peer/identity.ts";
export type { Limits } from "./peer/limits.ts";
export { listPartials, removePartials } from "./peer/partials.ts";
export { Peer } from "./peer/peer.ts";
export type {
  OfferAnswer,
  PeerOptions,
  ReceiveOptions,
  SendOptions,
} from "./peer/peer-options.ts";
export { type PreflightOptions, type SourcePreflight, sourcePreflight } from "./peer/preflight.ts";
export type { Sendable } from "./peer/sendable.ts";
export type { Share, ShareOptions } from "./peer/shares.ts";
export type { ListedEntry } from "./protocol/request-messages.ts";
export { requireTicket } from "./protocol/ticket.ts";
export { boundsText } from "./transfer/bound-text.ts";
export { type Compression, isCompression } from "./transfer/compression.ts";
export type { ConflictPolicy } from "./transfer/conflicts.ts";
export type { Chooser, EntryChoice, OfferedThing } from "./transfer/entry-choice.ts";
export type {
  Bound,
  BoundShare,
  Conflict,
  ConflictChoice,
  FileStatus,
  Logger,
  OfferContents,
  OfferedItem,
  OfferSummary,
  ProfileName,
  Receipt,
  ReceiptFile,
  ReceiptFiles,
  SkippedThing,
  TransferEvent,
  TransferProgress,
  TransferState,
} from "./transfer/events.ts";
export { isNotAsOffered, notChosen } from "./transfer/events.ts";
export type { SourceChoice } from "./transfer/folder-choice.ts";
export type { Limit, LimitSchedule, LimitWindow, Rate } from "./transfer/limit.ts";
export { LogLines } from "./transfer/log-lines.ts";
export type { ByteWriter } from "./transfer/ordered-output.ts";
export type { PartialTransfer } from "./transfer/partials.ts";
export type { Collision, Preflight } from "./transfer/preflight.ts";
export type { SourceOptions } from "./transfer/source.ts";
export type { StreamInput } from "./transfer/streamed-bytes.ts";
export type { Transfer } from "./transfer/transfer.ts";
export type { Priority } from "./transfer/turns.ts";
