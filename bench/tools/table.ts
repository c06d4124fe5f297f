/** Every tool that the benchmark knows; a new one is one more entry. */

import type { Options } from "../options.ts";
import { ackedTcp } from "./acked-tcp.ts";
import { aria2 } from "./aria2.ts";
import { netcat, tarNetcat } from "./netcat.ts";
import { plainTcp } from "./plain-tcp.ts";
import { qcp } from "./qcp.ts";
import { quiver } from "./quiver.ts";
import { rsync, rsyncSsh } from "./rsync.ts";
import { scp } from "./scp.ts";
import { sendme } from "./sendme.ts";
import type { Tool } from "./tool.ts";
import { wormhole } from "./wormhole.ts";

/** In the order in which a round runs them. */
const allTools: readonly Tool[] = [
  ...[quiver, netcat, plainTcp, ackedTcp, tarNetcat, scp, rsync, rsyncSsh],
  ...[aria2, qcp, sendme, wormhole],
];

/** The tools that were asked for, are installed and fit the data; and a line for each that is not. */
export function chooseTools({ only, data }: Options): { tools: Tool[]; missing: string[] } {
  const unknown = only?.find((name) => !allTools.some((tool) => tool.name === name));
  if (unknown !== undefined) {
    const known = allTools.map((tool) => tool.name).join(", ");
    throw new Error(`unknown tool: ${unknown}; there are ${known}`);
  }
  const kind = data.kind === "small-files" || data.kind === "tree" ? "folder" : "file";
  const tools: Tool[] = [];
  const missing: string[] = [];
  for (const tool of allTools) {
    const isAsked = only ? only.includes(tool.name) : tool !== plainTcp || !isInstalled(netcat);
    if (!isAsked) continue;
    if (tool.carries !== "both" && tool.carries !== kind) {
      if (only) missing.push(`${tool.name}: it carries a ${tool.carries}, not a ${kind}`);
    } else if (!isInstalled(tool)) {
      const absent = tool.needs.filter((program) => !program.isThere());
      missing.push(`${tool.name}: ${absent.map(({ install }) => install).join(", ")}`);
    } else tools.push(tool);
  }
  if (tools.length === 0) throw new Error("no tool is left to measure");
  return { tools, missing };
}

function isInstalled(tool: Tool): boolean {
  return tool.needs.every((program) => program.isThere());
}
