/** The plainest transfer there is: every chunk waits for the acknowledgement of the one before. */

import { nodeCopier } from "./node-copier.ts";

export const ackedTcp = nodeCopier(
  "acked-tcp",
  "TCP, each chunk of 64 KiB acknowledged (node)",
  "acked-tcp-copier.ts",
  5003,
);
