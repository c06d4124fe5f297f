/** Answers the requests of others: lists shares and their folders, and sends what is asked for. */

import { TransferError } from "../errors.ts";
import { encodeName } from "../lossless-name.ts";
import { maxRequestsAtOnce } from "../options.ts";
import { maxListed } from "../protocol/limits.ts";
import type { ListedEntry, RequestMessage } from "../protocol/request-messages.ts";
import { batches, textBytes } from "../transfer/batches.ts";
import { failureFor } from "../transfer/failure.ts";
import { Source } from "../transfer/source.ts";
import type { Root } from "../transfer/source-roots.ts";
import { background, newId, type PeerContext } from "./context.ts";
import { Places } from "./places.ts";
import { sendOver } from "./sending.ts";
import type { Session } from "./session.ts";
import { openShared, type SharedThing } from "./shared-path.ts";
import type { OpenShare, Shares } from "./shares.ts";
import type { TransferList } from "./transfer-list.ts";

/** A question of one type. */
type Question<Type> = Extract<RequestMessage, { type: Type }>;

/** The side of a peer that is asked. */
export class Answers {
  readonly #context: PeerContext;
  readonly #shares: Shares;
  readonly #transfers: TransferList;
  readonly #places = new Places(maxRequestsAtOnce);

  /** Answers with what the shares hold. */
  constructor(context: PeerContext, shares: Shares, transfers: TransferList) {
    this.#context = context;
    this.#shares = shares;
    this.#transfers = transfers;
  }

  /** Answers a request; resolves as soon as the next message may be read. */
  async answer(session: Session, message: RequestMessage): Promise<void> {
    const done = this.#places.take(session);
    // Waits for the stream: who asks without end and does not listen is not heard any more.
    if (!done) return deny(session, message.request, tooMany);
    const answering =
      message.type === "list" ? this.#list(session, message) : this.#get(session, message);
    background(answering.catch((error) => deny(session, message.request, error)).finally(done));
  }

  async #list(session: Session, { request, path, after }: Question<"list">): Promise<void> {
    const shares = this.#shares.readableBy(session.peerId);
    const listed = path === "" ? await sharesAsEntries(shares) : await entriesAt(shares, path);
    const known = encodeName(after);
    const left = listed.filter(({ name }) => Buffer.compare(encodeName(name), known) > 0);
    const bytesOf = ({ name }: ListedEntry) => textBytes(name, "");
    const [entries = []] = batches(left, maxListed, bytesOf);
    const more = entries.length < left.length ? 1 : 0;
    await session.say({ type: "listing", request, entries, more });
  }

  async #get(session: Session, { request, paths }: Question<"get">): Promise<void> {
    const things = await openAll(this.#shares.readableBy(session.peerId), paths);
    const source = Source.of(this.#context.engine, things.map(asRoot));
    try {
      const id = newId(this.#context.engine);
      await session.say({ type: "granted", request, transfer: id });
      const record = this.#transfers.add("send", { id });
      this.#transfers.run(record, sendOver(this.#context, session, source, record, {}));
      for (const share of new Set(things.map((thing) => thing.share))) share.follow(record);
      await record.done.catch(() => {});
    } finally {
      await source.close();
    }
  }
}

/** A reader is sent all that is in a folder: rules that lie in it are the owner's. */
function asRoot({ folder, name, stat, offeredName }: SharedThing): Root {
  return { folder, parent: "", name, stat, offeredName };
}

function deny(session: Session, request: string, error: unknown): Promise<void> {
  return session.say({ type: "denied", request, ...failureFor(error, "the other side") });
}

async function openAll(shares: readonly OpenShare[], paths: readonly string[]) {
  const things: SharedThing[] = [];
  try {
    for (const path of paths) things.push(await openShared(shares, path));
    return things;
  } catch (error) {
    for (const { folder } of things) await folder.close();
    throw error;
  }
}

async function sharesAsEntries(shares: readonly OpenShare[]): Promise<ListedEntry[]> {
  const entries: ListedEntry[] = [];
  for (const { name, folder } of shares) {
    const stat = await folder.stat("");
    entries.push({ kind: "folder", name, bytes: 0, mtimeMs: stat?.mtimeMs ?? 0 });
  }
  return entries.sort((a, b) => Buffer.compare(encodeName(a.name), encodeName(b.name)));
}

/** What is in a folder, in the order of the names' bytes; of a file, the file itself. */
async function entriesAt(shares: readonly OpenShare[], path: string): Promise<ListedEntry[]> {
  const { folder, name, stat, offeredName } = await openShared(shares, path);
  try {
    const found =
      stat.kind === "folder" ? await folder.list(name) : [{ ...stat, name: offeredName }];
    return found.flatMap(({ kind, name: one, bytes, mtimeMs }) =>
      kind === "other" ? [] : [{ kind, name: one, bytes: kind === "file" ? bytes : 0, mtimeMs }],
    );
  } finally {
    await folder.close();
  }
}

const tooMany = new TransferError(
  "LIMIT_EXCEEDED",
  "too many requests at once; wait for an answer",
);
