/** What people do in the middle of a transfer, in real processes on one machine. */

import { suite } from "node:test";
import { people } from "./faults/people.ts";
import { testFaults } from "./faults/stage.ts";

suite("in the middle of a transfer", () => testFaults(people));
