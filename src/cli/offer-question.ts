/** The question whether an offer is received, and which things of it. */

import { type Chooser, displayText, type OfferedItem, type OfferSummary } from "../index.ts";
import { formatBytes } from "./format.ts";
import { place, prompts, untilAborted } from "./question.ts";

/** Yes, no, or a function that picks top-level things; no for Ctrl-C and when `signal` fires. */
export async function askAboutOffer(
  offer: OfferSummary,
  signal: AbortSignal,
): Promise<boolean | Chooser> {
  const { confirm, isCancel, select } = await prompts();
  const message = "Receive this?";
  const canPick = offer.items.length > 1 && offer.items.length + offer.moreItems <= mostPicked;
  if (!canPick) {
    const ask = (open: AbortSignal) => confirm({ message, signal: open, ...place });
    const answer = await untilAborted(signal, ask);
    return isCancel(answer) ? false : answer;
  }
  const ask = (open: AbortSignal) => select({ message, options, signal: open, ...place });
  const answer = await untilAborted(signal, ask);
  if (isCancel(answer) || answer === "no") return false;
  return answer === "yes" ? true : pick(offer.items, signal);
}

async function pick(
  items: readonly OfferedItem[],
  signal: AbortSignal,
): Promise<boolean | Chooser> {
  const { isCancel, multiselect } = await prompts();
  // By position: nothing of the peer's text comes back from the question.
  const shown = items.map((item, value) => ({ value, label: itemText(item) }));
  const picked = await untilAborted(signal, (open) =>
    multiselect({ message: "Which of them?", options: shown, signal: open, ...place }),
  );
  if (isCancel(picked)) return false;
  return pickedOf(items, picked);
}

/** Wants the top-level things at some positions, with all that is in them. */
export function pickedOf(items: readonly OfferedItem[], positions: readonly number[]): Chooser {
  const names = new Set(positions.map((position) => items[position]?.name));
  return ({ path }) => names.has(path.split("/", 1)[0]);
}

function itemText({ name, kind, bytes }: OfferedItem): string {
  return `${displayText(name, 60)}${kind === "folder" ? "/" : ""} (${formatBytes(bytes)})`;
}

const options: { value: "yes" | "some" | "no"; label: string }[] = [
  { value: "yes", label: "Yes" },
  { value: "some", label: "Some of it" },
  { value: "no", label: "No" },
];
/** A longer list is better told by `--only`. */
const mostPicked = 100;
