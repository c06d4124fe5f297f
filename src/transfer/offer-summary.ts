/** What people are shown of an offer: its top-level items and its totals. */

import type { Manifest } from "../protocol/manifest.ts";
import type { OfferedItem, OfferSummary } from "./events.ts";

/** The summary of a manifest. */
export function summaryOf(
  manifest: Manifest,
  about: Pick<OfferSummary, "transferId" | "peerId" | "peerName" | "targetDir" | "profile">,
): OfferSummary {
  const { files, folders, links, bytes } = manifest.totals;
  const listed = manifest.topLevel.slice(0, mostItems);
  const items = listed.map((top, at) => itemOf(manifest, top, manifest.topLevel[at + 1]));
  const moreItems = manifest.topLevel.length - listed.length;
  return { ...about, files, folders, links, bytes, items, moreItems };
}

function itemOf(manifest: Manifest, top: number, next: number | undefined): OfferedItem {
  const { name, kind } = manifest.entry(top);
  let files = 0;
  let bytes = 0;
  for (let at = top; at < (next ?? manifest.totals.entries); at += 1) {
    const entry = manifest.entry(at);
    if (entry.kind === "file") files += 1;
    bytes += entry.bytes;
  }
  return { name, kind, files, bytes };
}

const mostItems = 1000;
