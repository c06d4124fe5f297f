/**
 * Each operation on a disk fails once, at every place.
 *
 * Both sides say what failed and why, nothing is half there, and without the failure it ends well.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { DiskOperation, MemoryDisk } from "../src/engine/memory-disk.ts";
import type { ErrorCode, Receipt } from "../src/index.ts";
import { checkState, type Ends, type Life, live, type Scene } from "./crash-life.ts";
import { scenes } from "./crash-scenes.ts";
import { DiskFaults, type Fault } from "./disk-faults.ts";

/** What fails, and how. */
const faults: { code: ErrorCode; operations: DiskOperation[] }[] = [
  {
    code: "DISK_FULL",
    operations: [
      ...["append", "copy", "createFolder", "createLink", "createPartial", "openLog"],
      ...["openPartial", "rename", "sync", "syncAll", "syncLog", "write"],
    ],
  },
];
