/** Hosts that move while a transfer runs. */

import { movedNetworks } from "../faults/moved-networks.ts";
import { testFaults } from "../faults/stage.ts";

testFaults(movedNetworks);
