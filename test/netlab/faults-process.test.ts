/** Processes that end or stand still in the middle of a transfer between two hosts. */

import { processEnds } from "../faults/process-ends.ts";
import { testFaults } from "../faults/stage.ts";

testFaults(processEnds);
