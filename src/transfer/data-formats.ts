/** The data formats that a sender may try, one after the other. */

import { TransferError } from "../errors.ts";
import { lazy } from "../lazy.ts";
import { type LaneFormat, laneFormats } from "../protocol/lane.ts";
import type { ProfileName } from "./events.ts";

/** A data format and the number that lanes carry for it. */
export interface DataFormat {
  name: LaneFormat;
  wire: number;
}

/** The formats that are left to try. */
export class FormatChoice {
  readonly #formats: () => DataFormat[];

  /** `find` is asked once, when a format is needed. */
  constructor(find: () => readonly DataFormat[]) {
    this.#formats = lazy(() => [...find()]);
  }

  /** The format in use. `UNSUPPORTED_FORMAT` when the peer has refused all. */
  get current(): DataFormat {
    const [format] = this.#formats();
    if (format) return format;
    throw new TransferError(
      "UNSUPPORTED_FORMAT",
      "the peer knows no data format of this version; update the older side",
    );
  }

  /** Tries a format that the peer refused no more. */
  drop(wire: number): void {
    const formats = this.#formats();
    if (formats[0]?.wire === wire) formats.shift();
  }
}

/** The formats for a profile, as far as the peer's hello lists them. */
export function formatsFor(profile: ProfileName, known: readonly string[]): DataFormat[] {
  const names: LaneFormat[] = profile === "ultra" ? ["ultra", "standard"] : ["standard"];
  return names
    .filter((name) => known.includes(name))
    .map((name) => ({ name, wire: laneFormats[name] }));
}
