/** What people are shown: offers, reports, receipts and tickets. */

import assert from "node:assert/strict";
import { PassThrough, Readable } from "node:stream";
import { test } from "node:test";
import { jsonLine } from "../src/cli/json-output.ts";
import { pickedOf } from "../src/cli/offer-question.ts";
import { offerText } from "../src/cli/offer-text.ts";
import { preflightText } from "../src/cli/preflight-text.ts";
import { receiptDetails, receiptSummary, requireComplete } from "../src/cli/receipt-text.ts";
import { readTicket, ticketView } from "../src/cli/ticket-text.ts";
import type { OfferSummary, Preflight, Receipt, ReceiptFile } from "../src/index.ts";
import { receiptFiles } from "./receipt-files.ts";

const offer: OfferSummary = {
  transferId: "00",
  peerId: "ab".repeat(32),
  peerName: "laptop",
  files: 53,
  folders: 1,
  links: 0,
  bytes: 629_300_000,
  items: [
    { name: "photos", kind: "folder", files: 50, bytes: 150_000 },
    { name: ".bashrc", kind: "file", files: 1, bytes: 4_100 },
    { name: "bill\u202efdp.exe", kind: "file", files: 1, bytes: 629_145_900 },
  ],
  hiddenItems: 1,
  moreItems: 0,
  targetDir: "",
  profile: "ultra",
};

test("an offer shows names, sizes and the total, marks what is hidden, and shows tricks", () => {
  assert.deepEqual(offerText(offer), [
    "laptop (abababababababa…) offers 53 files, 1 folder, 629 MB:",
    "  150 kB  photos/ (50 files)",
    "  4.1 kB  .bashrc (hidden)",
    "  629 MB  bill\\u202efdp.exe",
  ]);
});

test("a long offer is cut, and says how much it leaves out", () => {
  const items = Array.from({ length: 40 }, (_, index) => {
    return { name: `f${index}`, kind: "file" as const, files: 1, bytes: 1 };
  });

  const lines = offerText({
    ...offer,
    items,
    hiddenItems: 0,
    moreItems: 960,
    targetDir: "in\nbox",
  });

  assert.equal(lines.length, 15);
  assert.deepEqual(lines.slice(-2), ["  … and 988 more", "  for the folder in\\nbox"]);
});

test("hidden names are counted where they are not shown, and so is a hidden folder for it all", () => {
  const items = Array.from({ length: 15 }, (_, index) => {
    return { name: `.f${index}`, kind: "file" as const, files: 1, bytes: 1 };
  });

  const lines = offerText({
    ...offer,
    items,
    hiddenItems: 1200,
    moreItems: 2000,
    targetDir: "a/.ssh",
  });

  assert.equal(lines[1], "  1 B  .f0 (hidden)");
  assert.deepEqual(lines.slice(-2), [
    "  … and 2,003 more, 1,188 of them hidden",
    "  for the folder a/.ssh (hidden)",
  ]);
});

const report: Preflight = {
  ...offer,
  items: [],
  files: 1,
  bytes: 10_000,
  into: "/home/a\u001b",
  freeBytes: 20_000,
  wanted: { files: 1, bytes: 10_000 },
  collisions: [
    {
      path: "b\u202e",
      kind: "file",
      bytes: 5,
      existingBytes: 6,
      choice: "rename",
      savedAs: "b\u0007",
    },
  ],
  mapped: [{ path: "c\u001b", savedAs: "c_" }],
  skipped: [{ path: "d\n", reason: "e\u001b" }],
  executables: 2,
  totals: { collisions: 30, mapped: 1, skipped: 1 },
};

test("a pre-flight report shows what would happen, and shows tricks", () => {
  assert.deepEqual(preflightText(report), [
    "laptop (abababababababa…) offers 1 file, 1 folder, 10 kB:",
    "  20 kB free in /home/a\\x1b",
    "  2 files may be run",
    "  taken names:",
    "    b\\u202e (6 B here, 5 B offered): lands as b\\x07",
    "    … and 29 more",
    "  names that this system cannot hold:",
    "    c\\x1b → c_",
    "  not sent or not made:",
    "    d\\n: e\\x1b",
    "nothing was written, and the ticket is still good",
  ]);
});

test("a pre-flight report says when the disk is too small", () => {
  const [, line] = preflightText({ ...report, freeBytes: 9000 });

  assert.equal(line, "  does not fit: needs 10 kB, 9.0 kB free in /home/a\\x1b");
});

test("what was picked from the list of an offer is wanted with all that is in it", () => {
  const isWanted = pickedOf(offer.items, [0, 2]);

  const paths = ["photos", "photos/a/b.jpg", ".bashrc", "photos2", "bill\u202efdp.exe"];
  const wanted = paths.filter((path) => isWanted({ path, kind: "file", bytes: 1 }));
  assert.deepEqual(wanted, ["photos", "photos/a/b.jpg", "bill\u202efdp.exe"]);
});

const good: ReceiptFile = { path: "a/1.txt", size: 10, blake3: "00", status: "received" };
const failed: ReceiptFile = {
  path: "b\u001b.txt",
  size: 10,
  blake3: "",
  status: "failed",
  code: "DISK_FULL",
  reason: "the disk is full",
};

function receiptOf(files: ReceiptFile[]): Receipt {
  return {
    transferId: "00",
    files: receiptFiles(files),
    bytes: 20_000_000,
    wireBytes: 20_000_000,
    bounds: [],
    seconds: 2,
    skipped: [],
    into: "/in",
  };
}

test("a receipt begins with how much, how long and how fast", () => {
  const summary = receiptSummary("received", receiptOf([good, good, failed]));

  assert.equal(summary, "received and verified 2 files, 20 MB in 2 s (10 MB/s)");
});

test("one file is told by its place", () => {
  const file = { ...good, path: "a.txt", savedAs: "a (2).txt" };

  assert.deepEqual(receiptDetails(receiptOf([file])), [
    "  as /in/a (2).txt",
    "  under another name:",
    "    a.txt → a (2).txt",
  ]);
});

test("a folder under another name is told once, not file by file", () => {
  const files = ["1.txt", "2.txt", "deep/3.txt"].map((name) => {
    return { ...good, path: `a/${name}`, savedAs: `a (2)/${name}` };
  });

  assert.deepEqual(receiptDetails(receiptOf(files)), [
    "  in /in",
    "  under another name:",
    "    a → a (2)",
  ]);
});

test("what did not travel is listed with its reason", () => {
  const kept: ReceiptFile = {
    ...good,
    path: "k",
    status: "skipped",
    reason: "it is there already",
  };
  const skipped = [{ path: "s.sock", reason: "a socket" }];

  const lines = receiptDetails({ ...receiptOf([good, kept, failed]), skipped });

  assert.deepEqual(lines, [
    "  in /in",
    "  skipped:",
    "    k: it is there already",
    "  not sent:",
    "    s.sock: a socket",
    "  failed:",
    "    b\\x1b.txt: the disk is full",
  ]);
});

test("where things landed is not for the sender", () => {
  const { into: _, ...receipt } = receiptOf([{ ...good, savedAs: "a (2)/1.txt" }]);

  assert.deepEqual(receiptDetails(receipt), []);
});

test("a receipt with a failed file fails by that file's code, and names it", () => {
  assert.doesNotThrow(() => requireComplete(receiptOf([good])));
  assert.throws(() => requireComplete(receiptOf([good, failed])), {
    code: "DISK_FULL",
    message: "1 file failed: b\\x1b.txt (the disk is full); send it again",
  });
});

test("a ticket on a terminal is a QR code and a command; a narrow one gets the command", () => {
  const ticket = `quiver${"a".repeat(170)}`;
  const wide = ticketView(ticket, Object.assign(new PassThrough(), { columns: 80 }));
  const narrow = ticketView(ticket, Object.assign(new PassThrough(), { columns: 30 }));

  assert.match(wide, /^█{40,}\n/);
  assert.ok(wide.includes(`\n  quiver receive ${ticket}\n`));
  assert.match(narrow, /^On the other machine:\n\n {2}quiver receive /);
});

const sources = [
  { argument: "t1", environment: "t2", input: "t3", ticket: "t1", why: "the argument comes first" },
  {
    argument: undefined,
    environment: " t2\n",
    input: "t3",
    ticket: "t2",
    why: "then QUIVER_TICKET",
  },
  {
    argument: "-",
    environment: "t2",
    input: "\n t3 \nx",
    ticket: "t3",
    why: "- is standard input",
  },
];

for (const { argument, environment, input, ticket, why } of sources) {
  test(`a ticket is found: ${why}`, async () => {
    const found = await readTicket({ argument, environment, input: Readable.from([input]) });

    assert.equal(found, ticket);
  });
}

for (const argument of [undefined, "-"]) {
  test(`no ticket at all is a usage error: argument ${argument}`, async () => {
    const reading = readTicket({ argument, environment: undefined, input: Readable.from([]) });

    await assert.rejects(reading, { code: "INVALID_ARGUMENT" });
  });
}

test("a line of JSON has nothing in it that a terminal obeys, and the same value", () => {
  const value = { name: "a\u001b[2J\u007f\u009b31m\u202e\u2028\u{e0001}b\\u" };

  const line = jsonLine(value);

  assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  assert.deepEqual(JSON.parse(line), value);
});
