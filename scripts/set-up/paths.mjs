/** Where the parts of a checkout are. */

import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the checkout. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The Node that a checkout pins; never the `.bin` link, which is a shell script on Windows. */
export function pinnedNode(checkout) {
  const name = process.platform === "win32" ? "node.exe" : "node";
  return join(checkout, "node_modules", "node", "bin", name);
}

/** The folder that cargo builds into. */
export function targetFolder(checkout) {
  return resolve(checkout, "native", process.env.CARGO_TARGET_DIR || "target");
}
