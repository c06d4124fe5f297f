/**
 * Swaps things for links to outside and back, as fast as it can, and tells its parent how often.
 *
 * A process of its own, so that it runs while the other side is in the middle of a system call.
 */

import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** A place where now the real thing stands, now a link to outside. */
export interface Spot {
  kind: "folder" | "file";
  path: string;
  /** Where what does not stand there waits, on the same disk. */
  spare: string;
  /** What the link leads to. */
  outside: string;
}

/** What is in a file that is really there. */
export const inside = "this is inside";

/** Puts the real thing in its place, and the link into its waiting place. */
export function build({ kind, path, spare, outside }: Spot): void {
  for (const old of [path, `${spare}.real`, `${spare}.link`]) {
    rmSync(old, { recursive: true, force: true });
  }
  mkdirSync(kind === "folder" ? join(path, "deep") : dirname(path), { recursive: true });
  if (kind === "file") writeFileSync(path, inside);
  else for (const name of names) writeFileSync(join(path, name), inside);
  symlinkSync(outside, `${spare}.link`);
}

/** Files of a folder, and of the folder outside: whoever followed the link would find them, too. */
export const names = ["secret", "draft", "deep/secret"];

/** Swaps what stands at a spot; returns whether that was possible. */
function flip({ path, spare }: Spot, isLink: boolean): boolean {
  const [out, back] = isLink ? ["link", "real"] : ["real", "link"];
  try {
    renameSync(path, `${spare}.${out}`);
    renameSync(`${spare}.${back}`, path);
    return true;
  } catch {
    // The other side has moved or removed it.
    return false;
  }
}

function run(spots: readonly Spot[]): void {
  const isLink = spots.map(() => false);
  let flips = 0;
  const turn = () => {
    for (let round = 0; round < flipsBetweenWords / spots.length; round += 1) {
      for (const [at, spot] of spots.entries()) {
        if (flip(spot, isLink[at] ?? false)) {
          isLink[at] = !isLink[at];
          flips += 1;
        } else {
          isLink[at] = false;
          rebuild(spot);
        }
      }
    }
    process.send?.(flips);
    setImmediate(turn);
  };
  turn();
}

function rebuild(spot: Spot): void {
  try {
    build(spot);
  } catch {
    // The other side is removing it just now; the next flip fails and builds it again.
  }
}

const flipsBetweenWords = 2000;

const [, , spots] = process.argv;
// Whoever began it may be killed.
process.on("disconnect", () => process.exit());
if (process.send && spots) run(JSON.parse(spots) as Spot[]);
