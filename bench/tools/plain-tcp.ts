/** Plain TCP without netcat: for machines that have none. */

import { nodeCopier } from "./node-copier.ts";

export const plainTcp = nodeCopier("plain-tcp", "plain TCP (node)", "plain-tcp-copier.ts", 5002);
