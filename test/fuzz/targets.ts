/** Everything that is fuzzed: a new parser of strangers' bytes gets a target, and a line here. */

import { addonTargets } from "./addon-target.ts";
import { journalTargets } from "./journal-targets.ts";
import { nameTargets } from "./name-targets.ts";
import { pieceTargets } from "./piece-targets.ts";
import { protocolTargets } from "./protocol-targets.ts";
import { requestTargets } from "./request-target.ts";
import { sessionTargets } from "./session-targets.ts";
import type { Target } from "./target.ts";

/** All targets, in the order in which they run. */
export const targets: readonly Target[] = [
  ...protocolTargets,
  ...nameTargets,
  ...journalTargets,
  ...pieceTargets,
  ...sessionTargets,
  ...requestTargets,
  ...addonTargets,
];
