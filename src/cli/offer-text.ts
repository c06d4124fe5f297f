/** An offer as a person reads it before saying yes. Pure. */

import { displayText, type OfferContents, type OfferedItem, type OfferSummary } from "../index.ts";
import { formatBytes, formatCount, groupDigits } from "./format.ts";

/** The lines that show who offers what; all text of the peer is made harmless. */
export function offerText(offer: OfferSummary): string[] {
  const name = displayText(offer.peerName, longestName) || "a peer without a name";
  const who = `${name} (${displayText(offer.peerId, 16)})`;
  if (offer.text !== undefined) return [`${who} offers a text`];
  const lines = offer.isStream ? streamLines(who, offer) : [];
  if (!offer.isStream) lines.push(`${who} offers ${contentsText(offer)}:`, ...itemLines(offer));
  if (offer.chosen && !offer.isStream)
    lines.push(`  chosen of it: ${contentsText({ ...nothing, ...offer.chosen })}`);
  if (offer.targetDir !== "") {
    const note = offer.targetDir.split("/").some(isHidden) ? " (hidden)" : "";
    lines.push(`  for the folder ${displayText(offer.targetDir, longestName)}${note}`);
  }
  return lines;
}

function streamLines(who: string, { items }: OfferSummary): string[] {
  const names = items.map((item) => `  ${itemText(item)}`);
  return [`${who} offers a stream, whose size is known at its end:`, ...names];
}

/** What can be counted of an offer. */
type Counts = Pick<OfferContents, "files" | "folders" | "links" | "bytes">;

/** How many of what, and how many bytes. */
export function contentsText({ files, folders, links, bytes }: Counts): string {
  const counts = [formatCount(files, "file")];
  if (folders > 0) counts.push(formatCount(folders, "folder"));
  if (links > 0) counts.push(formatCount(links, "link"));
  return [...counts, formatBytes(bytes)].join(", ");
}

/** A line for each of the first top-level items, and one for the rest. */
export function itemLines(contents: OfferContents): string[] {
  const { items, moreItems } = contents;
  const shown = items.slice(0, mostItems);
  const sizes = shown.map((item) => formatBytes(item.bytes));
  const sizeWidth = Math.max(0, ...sizes.map((size) => size.length));
  const lines = shown.map((item, index) => {
    return `  ${(sizes[index] ?? "").padStart(sizeWidth)}  ${itemText(item)}`;
  });
  const more = items.length - shown.length + moreItems;
  if (more > 0) lines.push(`  … and ${groupDigits(more)} more${hiddenText(contents, shown)}`);
  return lines;
}

/** What the line for all that is not shown says of hidden things; those are shown first. */
function hiddenText({ hiddenItems }: OfferContents, shown: readonly OfferedItem[]): string {
  const more = hiddenItems - shown.filter(({ name }) => isHidden(name)).length;
  return more > 0 ? `, ${groupDigits(more)} of them hidden` : "";
}

function isHidden(name: string): boolean {
  return name.startsWith(".");
}

function itemText({ name, kind, files }: OfferedItem): string {
  const notes: string[] = [];
  if (kind === "folder") notes.push(formatCount(files, "file"));
  if (kind === "link") notes.push("link");
  if (isHidden(name)) notes.push("hidden");
  const shown = displayText(name, longestName) + (kind === "folder" ? "/" : "");
  return notes.length > 0 ? `${shown} (${notes.join(", ")})` : shown;
}

/** More lines would push the question off the screen. */
const mostItems = 12;

const nothing: Counts = { files: 0, folders: 0, links: 0, bytes: 0 };

const longestName = 60;
