/**
 * Tells a transfer in the words of the specification, line by line.
 *
 * Pure: the caller brings the events and the clock. As in the specification, a MB of these lines
 * is 1,048,576 bytes, so that a range of 32 MiB reads `32.0 MB`; Mbps are 1,000,000 bits a second.
 */

import { displayText } from "../display-text.ts";
import { boundsText, boundText } from "./bound-text.ts";
import type { Bound, OfferSummary, ProfileName, TransferEvent } from "./events.ts";

/** The lines of one transfer; feed it every event in order. */
export class LogLines {
  #profile: ProfileName = "ultra";
  #lastProgressMs = Number.NEGATIVE_INFINITY;
  /** What was told to hold it. */
  #boundBy: Bound | null = null;

  /** The lines for an event at a time in milliseconds; progress gives one a second at most. */
  linesOf(event: TransferEvent, nowMs: number): string[] {
    switch (event.type) {
      case "offer":
        this.#profile = event.profile;
        this.#lastProgressMs = nowMs;
        return [
          `⚡ Starting ${this.#label} transfer: ${nameOf(event)} (${megabytes(event.bytes)})`,
        ];
      case "lanes":
        this.#profile = event.profile;
        return [
          `⚡ ${this.#label} config: ${event.lanes} streams, ` +
            `${event.ranges} chunks of ${megabytes(event.rangeBytes)} each`,
          `⚡ Opened ${event.lanes} streams in parallel`,
        ];
      case "progress": {
        if (nowMs - this.#lastProgressMs < 1000) return [];
        this.#lastProgressMs = nowMs;
        const percent = event.total > 0 ? (100 * event.bytes) / event.total : 100;
        const hasSize = Number.isFinite(event.total);
        const share = hasSize ? `${percent.toFixed(1)}%` : megabytes(event.bytes);
        return [
          `⚡ Progress: ${share} - Speed: ${megabits(event.throughput)}`,
          ...this.#boundLines(event.boundBy),
        ];
      }
      case "receipt": {
        const rate = event.seconds > 0 ? event.bytes / event.seconds : 0;
        const held = boundsText(event.bounds);
        return [
          `⚡ ${this.#label} transfer complete: ${megabytes(event.bytes)} ` +
            `in ${event.seconds.toFixed(2)}s (${megabits(rate)})`,
          ...(held === "" ? [] : [`⚡ Held by ${held}`]),
        ];
      }
      default:
        return [];
    }
  }

  /** A line where it is another limit than before. */
  #boundLines(by: Bound | null): string[] {
    if (by === null || by === this.#boundBy) return [];
    this.#boundBy = by;
    return [`⚡ Held by ${boundText(by)}`];
  }

  get #label(): string {
    return this.#profile === "ultra" ? "ULTRA" : "STANDARD";
  }
}

function nameOf(offer: OfferSummary): string {
  const name = displayText(offer.items[0]?.name ?? "nothing");
  const others = Math.max(0, offer.items.length - 1) + offer.moreItems;
  return others === 0 ? name : `${name} and ${others} more`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MB`;
}

function megabits(bytesPerSecond: number): string {
  return `${((bytesPerSecond * 8) / 1_000_000).toFixed(1)} Mbps`;
}
