/** The benchmark's command line. */

import { parseArgs } from "node:util";

/** What the benchmark was asked for. */
export interface Options {
  /** netlab's words for the wire, for example `["wan", "rate=100", "delay=75"]`. */
  wire: string[];
  data: DataChoice;
  /** Names of tools; undefined for all that are installed and fit the data. */
  only: string[] | undefined;
  rounds: number;
  /** The folder below which everything is made: source, copies, keys. */
  disk: string;
  /** A run that takes longer is ended and counts as failed. */
  timeoutSeconds: number;
  /** The kernel's congestion control for the TCP tools; undefined for the machine's own. */
  tcp: string | undefined;
  /** The command that is measured as quiver; undefined for this checkout's. */
  quiver: string | undefined;
  /** How quiver's sender compresses; undefined for its default. */
  compress: string | undefined;
  profile: boolean;
  /** File for the result as JSON. */
  json: string | undefined;
  /** File for the result as a picture. */
  svg: string | undefined;
}

/** What is sent. */
export interface DataChoice {
  kind: "random" | "text" | "small-files" | "tree";
  /** Size of a single file, in bytes. */
  bytes: number;
  /** Number of small files. */
  files: number;
  /** The folder that is copied as the source. */
  tree: string;
  /** In the words of the command line. */
  text: string;
}

/** Reads the command line; throws with a sentence on anything it does not know. */
export function readOptions(argv: string[]): Options | "help" {
  const { values } = parseArgs({
    args: argv,
    options: {
      wire: { type: "string", default: "ethernet" },
      size: { type: "string", default: "1GiB" },
      data: { type: "string", default: "random" },
      only: { type: "string" },
      rounds: { type: "string", default: "5" },
      disk: { type: "string", default: "tmpfs" },
      timeout: { type: "string", default: "300" },
      tcp: { type: "string" },
      quiver: { type: "string" },
      compress: { type: "string" },
      profile: { type: "boolean", default: false },
      json: { type: "string" },
      svg: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  return {
    wire: readWire(values.wire),
    data: readData(values.data, values.size),
    only: values.only?.split(",").map((name) => name.trim()),
    rounds: readCount("--rounds", values.rounds),
    disk: disks[values.disk] ?? values.disk,
    timeoutSeconds: readCount("--timeout", values.timeout),
    tcp: values.tcp,
    quiver: values.quiver,
    compress: values.compress,
    profile: values.profile,
    json: values.json,
    svg: values.svg,
  };
}

/** Reads `ethernet` or `wan:rate=100,delay=75` into netlab's words. */
function readWire(text: string): string[] {
  const [kind = "", settings] = text.split(/:(.*)/s);
  if (!["ethernet", "gigabit", "jumbo", "wan"].includes(kind)) {
    throw new Error(`unknown wire: ${kind}; use ethernet, gigabit, jumbo or wan`);
  }
  if (kind === "wan") return ["wan", ...(settings || defaultWan).split(",")];
  if (settings) throw new Error(`only a wan has settings, not ${kind}`);
  return [kind];
}

function readData(text: string, size: string): DataChoice {
  const [kind = "", rest] = text.split(/:(.*)/s);
  const choice = { bytes: 0, files: 0, tree: "", text };
  switch (kind) {
    case "random":
    case "text":
      return { ...choice, kind, bytes: readSize(size), text: `${text}, ${size}` };
    case "small-files":
      return { ...choice, kind, files: readCount("--data small-files", rest ?? "10000") };
    case "tree":
      return { ...choice, kind, tree: rest || "/usr/share" };
    default:
      throw new Error(`unknown data: ${kind}; use random, text, small-files[:N] or tree:PATH`);
  }
}

/** Reads `1GiB`, `256MiB`, `4096` or `1e9B`. */
function readSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(B|KiB|MiB|GiB|kB|MB|GB)?$/.exec(text);
  if (!match) throw new Error(`not a size: ${text}; write it as 256MiB or 1GiB`);
  return Math.round(Number(match[1]) * (units[match[2] ?? "B"] ?? 1));
}

function readCount(name: string, text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new Error(`${name} takes a number from 1 up, not ${text}`);
  return Number(text);
}

const units: Record<string, number> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};
const disks: Record<string, string> = { tmpfs: "/dev/shm", disk: "/var/tmp" };
const defaultWan = "rate=100,delay=75,loss=1";

export const usage = `npm run bench -- [options]   (root; Linux)

  --wire ethernet|gigabit|jumbo|wan[:rate=MBIT,delay=MS,loss=PERCENT]   default ethernet
  --data random|text|small-files[:N]|tree:PATH                          default random
  --size 1GiB            of random and text
  --only quiver,nc,scp   tools; default: all that are installed and fit the data
  --rounds 5             each round runs every tool once, in turn
  --disk tmpfs|disk|DIR  where source and copies are: /dev/shm, /var/tmp or a folder
  --timeout 300          seconds that a run may take; acked-tcp on a wan often needs more
  --tcp cubic|bbr        congestion control of the TCP tools; default: this machine's
  --quiver CMD           another quiver than this checkout's, to compare two builds
  --compress HOW         what quiver's sender is told: none, lz4, zstd:3; default: nothing
  --profile              run under perf and say where the time goes (slows the runs down)
  --json FILE            everything that was measured
  --svg FILE             a picture of it: MB/s of every tool`;
