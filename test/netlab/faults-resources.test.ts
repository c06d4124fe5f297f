/** Too few descriptors, threads, bytes of memory; and a clock that jumps. */

import { resources } from "../faults/resources.ts";
import { testFaults } from "../faults/stage.ts";

testFaults(resources);
