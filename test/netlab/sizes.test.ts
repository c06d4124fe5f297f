/** Files of awkward sizes between two hosts. */

import { join } from "node:path";
import { test } from "node:test";
import { assertCopied, randomFile, sparseFile } from "./contents.ts";
import { hosts, runPair, testFolder } from "./hosts.ts";

const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;

const cases = [
  { bytes: 0, why: "an empty file is still created" },
  { bytes: 1, why: "the shortest content" },
  { bytes: 64 * KiB - 1, why: "one byte less than a piece" },
  { bytes: 64 * KiB, why: "the last file that travels in a bundle" },
  { bytes: 64 * KiB + 1, why: "two pieces" },
  { bytes: 10 * MiB - 1, why: "the last piece is short" },
  { bytes: 10 * MiB, why: "the last file of 64 KiB pieces" },
  { bytes: 10 * MiB + 1, why: "the first file of 256 KiB pieces" },
  { bytes: 32 * MiB + 1, why: "a second range of one byte" },
  { bytes: 100 * MiB - 1, why: "the last piece is short" },
  { bytes: 100 * MiB + 1, why: "the first file of 512 KiB pieces" },
  { bytes: 1 * GiB + 1, why: "the first file of 1 MiB pieces and 64 MiB ranges" },
];

for (const { bytes, why } of cases) {
  test(`a file of ${bytes} bytes arrives whole: ${why}`, async (t) => {
    const lab = hosts(t, "ethernet");
    const folder = testFolder(t);
    const path = (bytes < GiB ? randomFile : sparseFile)(join(folder, "file"), bytes);

    const pair = await runPair(lab, { path, folder });

    await assertCopied(t, pair, path);
  });
}
