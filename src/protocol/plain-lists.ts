/**
 * Lists of lists of whole numbers, texts and byte strings in the CBOR of `frame.ts`: what long messages are made of.
 *
 * A library that knows all of CBOR takes a microsecond for each entry of a manifest, on either side: of 100,000 small
 * files that was 3 % of the whole (docs/performance.md#many-small-files).
 */

/** A list of lists as CBOR, each head in its shortest form. */
export function encodeLists(lists: readonly (readonly PlainValue[])[]): Uint8Array {
  const writer = new Writer();
  writer.head(major.list, lists.length);
  for (const list of lists) {
    writer.head(major.list, list.length);
    for (const value of list) writer.value(value);
  }
  return writer.bytes();
}

/** The list of lists that some CBOR is; null for anything else, which `decodeCbor` reads or refuses. */
export function decodeLists(cbor: Uint8Array): PlainValue[][] | null {
  const reader = new Reader(cbor);
  const lists: PlainValue[][] = [];
  for (let left = reader.head(major.list); left > 0 && reader.isPlain; left -= 1) {
    const list: PlainValue[] = [];
    for (let values = reader.head(major.list); values > 0 && reader.isPlain; values -= 1) {
      list.push(reader.value());
    }
    lists.push(list);
  }
  return reader.isPlain && reader.isAtEnd ? lists : null;
}

/** A safe integer, a well-formed text, or bytes. */
export type PlainValue = number | string | Uint8Array;

/** The kinds of values, as the upper three bits of their first byte (RFC 8949, 3.1). */
const major = { positive: 0, negative: 1, bytes: 2, text: 3, list: 4 };

class Writer {
  #bytes = Buffer.allocUnsafe(firstRoom);
  #at = 0;

  /** What was written, without room to spare: a manifest keeps it. */
  bytes(): Uint8Array {
    return new Uint8Array(this.#bytes.subarray(0, this.#at));
  }

  value(value: PlainValue): void {
    if (typeof value === "number") {
      if (value < 0) this.head(major.negative, -1 - value);
      else this.head(major.positive, value);
    } else if (typeof value === "string") {
      this.head(major.text, Buffer.byteLength(value));
      this.#makeRoom(3 * value.length);
      this.#at += this.#bytes.write(value, this.#at, "utf8");
    } else {
      this.head(major.bytes, value.length);
      this.#makeRoom(value.length);
      this.#bytes.set(value, this.#at);
      this.#at += value.length;
    }
  }

  head(kind: number, argument: number): void {
    this.#makeRoom(longestHead);
    const first = kind << 5;
    if (argument < 24) this.#bytes[this.#at++] = first | argument;
    else if (argument < 2 ** 8) this.#head(first | 24, argument, 1);
    else if (argument < 2 ** 16) this.#head(first | 25, argument, 2);
    else if (argument < 2 ** 32) this.#head(first | 26, argument, 4);
    else this.#head(first | 27, argument, 8);
  }

  #head(first: number, argument: number, length: number): void {
    this.#bytes[this.#at] = first;
    let left = argument;
    for (let at = this.#at + length; at > this.#at; at -= 1) {
      this.#bytes[at] = left;
      left = Math.floor(left / 256);
    }
    this.#at += 1 + length;
  }

  #makeRoom(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(2 * this.#bytes.length + bytes);
    larger.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = larger;
  }
}

class Reader {
  /** Whether all so far was as it must be; if not, what is read means nothing. */
  isPlain = true;
  readonly #bytes: Buffer;
  #at = 0;

  constructor({ buffer, byteOffset, byteLength }: Uint8Array) {
    this.#bytes = Buffer.from(buffer, byteOffset, byteLength);
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** The argument of a head of one kind; 0 for any other. */
  head(kind: number): number {
    if ((this.#bytes[this.#at] ?? noKind) >> 5 !== kind) this.isPlain = false;
    return this.#argument();
  }

  value(): PlainValue {
    const kind = (this.#bytes[this.#at] ?? noKind) >> 5;
    const argument = this.#argument();
    if (kind === major.positive) return argument;
    if (kind === major.negative) return -1 - argument;
    const start = this.#at;
    this.#at += argument;
    if (kind > major.text || this.#at > this.#bytes.length) this.isPlain = false;
    if (!this.isPlain) return 0;
    // A copy: a short one does not hold on to a long message.
    if (kind === major.bytes) return new Uint8Array(this.#bytes.subarray(start, this.#at));
    return this.#text(start, this.#at);
  }

  #text(start: number, end: number): string {
    for (let at = start; at < end; at += 1) {
      if ((this.#bytes[at] ?? 0) > 0x7f) {
        const text = this.#bytes.toString("utf8", start, end);
        // What was mended is not what was sent.
        if (text.includes("\ufffd")) this.isPlain = false;
        return text;
      }
    }
    return this.#bytes.toString("latin1", start, end);
  }

  /** The argument of the head that is next; 0 where it is not in its shortest form, or not exact. */
  #argument(): number {
    const bytes = this.#bytes;
    const at = this.#at;
    const size = (bytes[at] ?? 0) & 31;
    if (size < 24) {
      this.#at = at + 1;
      return this.isPlain ? size : 0;
    }
    const length = 2 ** (size - 24);
    this.#at = at + 1 + length;
    if (size > 27 || this.#at > bytes.length) this.isPlain = false;
    if (!this.isPlain) return 0;
    let argument = 0;
    for (let next = at + 1; next < this.#at; next += 1)
      argument = argument * 256 + (bytes[next] ?? 0);
    const isShortest = size === 24 ? argument >= 24 : argument >= 2 ** (4 * length);
    if (!isShortest || argument > Number.MAX_SAFE_INTEGER) this.isPlain = false;
    return this.isPlain ? argument : 0;
  }
}

const firstRoom = 64 * 1024;
const longestHead = 9;
/** In place of a byte beyond the end: no value begins with it. */
const noKind = 0xff;
