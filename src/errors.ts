/**
 * Every way this package fails, in one table.
 *
 * The code of a failure decides what a program does about it, what the command exits with,
 * and what the peer is told. Adding a code is a minor release; renaming one is a major.
 */
export const errorCodes = {
  CANCELLED: { exit: 130, wire: 1, retry: false },
  CONNECTION_LOST: { exit: 3, wire: 2, retry: true },
  CONTENT_MISMATCH: { exit: 4, wire: 3, retry: true },
  INVALID_ARGUMENT: { exit: 2, wire: 4, retry: false },
  INVALID_FRAME: { exit: 5, wire: 5, retry: false },
  PEER_REJECTED: { exit: 6, wire: 6, retry: false },
  PEER_UNREACHABLE: { exit: 3, wire: 7, retry: true },
  DISK_FULL: { exit: 7, wire: 8, retry: true },
  DISK_DENIED: { exit: 7, wire: 9, retry: false },
  DISK_MISSING: { exit: 7, wire: 10, retry: false },
  DISK_EXISTS: { exit: 7, wire: 11, retry: false },
  DISK_FAILED: { exit: 7, wire: 12, retry: false },
  SOURCE_CHANGED: { exit: 4, wire: 13, retry: true },
  UNSUPPORTED_FORMAT: { exit: 5, wire: 14, retry: false },
  UNSUPPORTED_VERSION: { exit: 5, wire: 15, retry: false },
  LIMIT_EXCEEDED: { exit: 5, wire: 16, retry: false },
  ADDRESS_IN_USE: { exit: 2, wire: 17, retry: false },
  NAME_REFUSED: { exit: 5, wire: 18, retry: false },
  DISK_BUSY: { exit: 7, wire: 19, retry: true },
} as const;

/** Name of a failure; see {@link errorCodes}. */
export type ErrorCode = keyof typeof errorCodes;

/** The only error class that leaves this package. */
export class TransferError extends Error {
  /** What went wrong, for programs. */
  readonly code: ErrorCode;

  /** Says what went wrong in `message`, for people: the subject, then what to do about it. */
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "TransferError";
    this.code = code;
  }
}

/** Tells whether a string names one of our failures. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorCodes, text);
}

/** The code that a peer named by its error number; `INVALID_FRAME` for a number nobody knows. */
export function codeOfWire(wire: number): ErrorCode {
  for (const [code, { wire: number }] of Object.entries(errorCodes)) {
    if (number === wire && isErrorCode(code)) return code;
  }
  return "INVALID_FRAME";
}
