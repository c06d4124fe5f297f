/** Pre-flight reports as a person reads them. Pure. */

import {
  type Collision,
  displayText,
  type Preflight,
  type SkippedThing,
  type SourcePreflight,
} from "../index.ts";
import { formatBytes, formatCount, groupDigits } from "./format.ts";
import { contentsText, itemLines, offerText } from "./offer-text.ts";

/** What receiving an offer would come to; all text of the peer is made harmless. */
export function preflightText(report: Preflight): string[] {
  const { collisions, mapped, skipped, totals, executables } = report;
  const lines = offerText(report);
  if (report.text === undefined) lines.push(...spaceLines(report));
  if (executables > 0) lines.push(`  ${formatCount(executables, "file")} may be run`);
  return [
    ...lines,
    ...list("taken names", collisions.map(collisionText), totals.collisions),
    ...list("names that this system cannot hold", mapped.map(renaming), totals.mapped),
    ...list("not sent or not made", skipped.map(withReason), totals.skipped),
    "nothing was written, and the ticket is still good",
  ];
}

/** What a sending would offer. */
export function sourcePreflightText(report: SourcePreflight): string[] {
  const { excluded, skipped, characters } = report;
  if (characters !== undefined)
    return [`would send a text of ${formatCount(characters, "character")}`];
  const lines = [`would send ${contentsText(report)}:`, ...itemLines(report)];
  if (excluded > 0) lines.push(`  left out by pattern: ${formatCount(excluded, "thing")}`);
  return [...lines, ...list("cannot be sent", skipped.map(withReason), skipped.length)];
}

function spaceLines({ wanted, bytes, into, freeBytes }: Preflight): string[] {
  const place = displayText(into);
  const need = wanted.bytes === bytes ? "" : `needs ${formatBytes(wanted.bytes)}; `;
  const free = `${formatBytes(freeBytes)} free in ${place}`;
  if (wanted.bytes <= freeBytes) return [`  ${need}${free}`];
  return [`  does not fit: needs ${formatBytes(wanted.bytes)}, ${free}`];
}

function collisionText({ path, choice, savedAs, bytes, existingBytes }: Collision): string {
  const sizes = `${formatBytes(existingBytes)} here, ${formatBytes(bytes)} offered`;
  const becomes = savedAs === undefined ? outcomes[choice] : `lands as ${displayText(savedAs)}`;
  return `${displayText(path)} (${sizes}): ${becomes}`;
}

function renaming({ path, savedAs }: { path: string; savedAs: string }): string {
  return `${displayText(path)} → ${displayText(savedAs)}`;
}

function withReason({ path, reason }: SkippedThing): string {
  return `${displayText(path)}: ${displayText(reason)}`;
}

function list(title: string, texts: readonly string[], count: number): string[] {
  if (count === 0) return [];
  const lines = texts.slice(0, mostLines).map((text) => `    ${text}`);
  const more = count - lines.length;
  if (more > 0) lines.push(`    … and ${groupDigits(more)} more`);
  return [`  ${title}:`, ...lines];
}

const outcomes = {
  rename: "lands under another name",
  skip: "what is here stays",
  overwrite: "what is here gives way",
  ask: "you would be asked",
};
const mostLines = 20;
