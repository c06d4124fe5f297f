/** What people are shown of an offer: its top-level items and its totals. */

import type { Manifest } from "../protocol/manifest.ts";
import type { Channel } from "./channel.ts";
import type { OfferContents, OfferedItem, OfferSummary } from "./events.ts";
import type { OfferHead } from "./offering.ts";

/** The summary of an offer to or from a peer. */
export function summaryOf(
  manifest: Manifest,
  { peerId, hello }: Pick<Channel, "peerId" | "hello">,
  { transfer, targetDir, profile, text, stream }: OfferHead,
): OfferSummary {
  const about = { transferId: transfer, peerId, peerName: hello.name, targetDir, profile };
  const summary = { ...about, ...contentsOf(manifest) };
  if (stream !== undefined) return { ...summary, isStream: true };
  return text === undefined ? summary : { ...summary, text };
}

/** What a manifest holds. */
export function contentsOf(manifest: Manifest): OfferContents {
  const { files, folders, links, bytes } = manifest.totals;
  const items = [...firstItems(manifest)].map((top) => itemOf(manifest, top));
  const moreItems = manifest.topLevel.length - items.length;
  const hiddenItems = manifest.hidden.length;
  return { files, folders, links, bytes, items, hiddenItems, moreItems };
}

/** Positions of the items that are listed: what is hidden later must be seen now. */
function firstItems({ hidden, topLevel }: Manifest): Set<number> {
  const first = new Set(hidden.slice(0, mostItems));
  for (const top of topLevel) {
    if (first.size === mostItems) break;
    first.add(top);
  }
  return first;
}

function itemOf(manifest: Manifest, top: number): OfferedItem {
  const { name, kind } = manifest.entry(top);
  let files = 0;
  let bytes = 0;
  let at = top;
  do {
    const entry = manifest.entry(at);
    if (entry.kind === "file") files += 1;
    bytes += entry.bytes;
    at += 1;
  } while (at < manifest.totals.entries && manifest.parent(at) >= 0);
  return { name, kind, files, bytes };
}

const mostItems = 1000;
