/** Wires that lose, change, mix up or hold back packets. */

import { badWires } from "../faults/bad-wires.ts";
import { testFaults } from "../faults/stage.ts";

testFaults(badWires);
