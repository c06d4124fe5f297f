/** What a reader must know of the machine to judge the figures. */

import { readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import type { Lab } from "./lab.ts";
import type { Tool } from "./tools/tool.ts";

/** The machine, its settings and the versions that were measured. */
export interface Machine {
  date: string;
  cpu: string;
  cores: number;
  memoryBytes: number;
  system: string;
  kernel: string;
  node: string;
  /** The kernel's congestion control for the TCP tools: it decides how they do on a wan. */
  tcpCongestionControl: string;
  /** Largest socket buffer that a program may ask for. */
  largestReceiveBuffer: number;
  largestSendBuffer: number;
  versions: Record<string, string>;
}

/** What is looked at. */
interface Looked {
  lab: Lab;
  tools: readonly Tool[];
  /** The congestion control that the hosts were given; undefined for the machine's own. */
  tcp: string | undefined;
}

/** Looks at this machine and at the hosts of a net. */
export function describeMachine({ lab, tools, tcp }: Looked): Machine {
  const setting = (name: string) => {
    const path = `/proc/sys/net/${name}`;
    try {
      return lab.output("a", "cat", path).trim();
    } catch {
      // Some settings belong to the machine, not to each host.
      return readFileSync(path, "utf8").trim();
    }
  };
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryBytes: totalmem(),
    system:
      /^PRETTY_NAME="?(.*?)"?$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "Linux",
    kernel: release(),
    node: process.version,
    tcpCongestionControl: tcp ?? setting("ipv4/tcp_congestion_control"),
    largestReceiveBuffer: Number(setting("core/rmem_max")),
    largestSendBuffer: Number(setting("core/wmem_max")),
    versions: Object.fromEntries(tools.map((tool) => [tool.name, tool.version()])),
  };
}
