/** What a peer may announce at most. Checked in the decoders, before anything is allocated. */

/** Bytes of one control or progress message. */
export const maxFrameBytes = 1024 * 1024;

/** Bytes of a hello: it comes from a peer that nobody knows yet. */
export const maxHelloBytes = 32 * 1024;

/** Bytes of one batch of manifest entries, and entries in it. */
export const maxBatchBytes = 256 * 1024;
export const maxBatchEntries = 1024;

/** Bytes of all batches of one offer: ten million entries of usual names. */
export const maxManifestBytes = 512 * 1024 * 1024;

/** Entries of one offer. */
export const maxEntries = 10_000_000;

/** Bytes of one name, of a link's text, and of a whole path. */
export const maxNameBytes = 4096;
export const maxLinkBytes = 4096;
export const maxPathBytes = 4096;

/** Folders inside each other. */
export const maxDepth = 128;

/** Characters of a device name, of a reason, and of a short word (a profile, a codec). */
export const maxDeviceName = 128;
export const maxReason = 1000;
export const maxWord = 32;

/** Words in a list of features, profiles or codecs. */
export const maxWords = 64;

/** Characters of a text that travels in place of files. */
export const maxText = 65_536;

/** Bytes of all files that travel with their offer. */
export const maxContentBytes = 64 * 1024;

/** Items of a list in one message: skipped runs, failures, receipts. */
export const maxItems = 4096;

/** Lanes of one transfer. */
export const maxLanes = 1024;

/** Files in one bundle, and bytes of each. */
export const maxBundleFiles = 4096;
export const maxBundledFileBytes = 1024 * 1024;

/** Piece sizes: powers of two between these, given as exponents. */
export const minPieceLog = 10;
export const maxPieceLog = 24;

/** Pieces of one run: their values are held until its end. */
export const maxRunPieces = 65_536;

/** Pieces of one file: 16 TiB in pieces of 1 MiB. */
export const maxPieces = 2 ** 24;

/** How far before the first byte that is missing of a stream a run may end. */
export const maxStreamAhead = 256 * 1024 * 1024;

/** Entries of one listing, and paths of one request for files. */
export const maxListed = 1024;
export const maxRequestPaths = 256;
