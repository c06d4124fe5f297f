/** Disks that lose their power, have no room, or are taken away. */

import { disks } from "../faults/disks.ts";
import { powerCuts } from "../faults/power.ts";
import { testFaults } from "../faults/stage.ts";

testFaults(disks);
testFaults(powerCuts);
