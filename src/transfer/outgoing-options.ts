/** What an offer is sent with. */

import type { Clock } from "../clock.ts";
import type { Engine } from "../engine/engine.ts";
import type { Tuning } from "../options.ts";
import type { Compression } from "./compression.ts";
import type { DataFormat } from "./data-formats.ts";
import type { ProfileName } from "./events.ts";
import type { Throttle } from "./throttle.ts";
import type { Priority } from "./turns.ts";

/** What a transfer is sent with. */
export interface OutgoingOptions {
  engine: Engine;
  clock: Clock;
  tuning: Tuning;
  profile: ProfileName;
  /** Lanes at most. */
  lanes: number;
  compress: Compression;
  targetDir: string;
  priority: Priority;
  /** Limits that it shares with other transfers, the widest last. */
  throttles: readonly Throttle[];
  /**
   * The data formats to try, from the first on; the numbers are the wire's.
   *
   * @default what the profile and the peer's hello say
   */
  formats?: readonly DataFormat[];
}
