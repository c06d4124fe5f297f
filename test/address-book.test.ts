/** Names for peers: what can be one, what is kept, and what a file that is none of ours says. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { AddressBook } from "../src/index.ts";
import { mostKnownAddresses } from "../src/options.ts";
import { parsePeerName, parsePeerReference } from "../src/peer/peer-name.ts";
import { loadSqlite } from "../src/peer/sqlite.ts";
import { atEnd } from "./ending.ts";
import { temporaryFolder } from "./peers.ts";

const [annaId, bobId] = ["ab".repeat(32), "cd".repeat(32)];
const at = (port: number) => `192.0.2.1:${port}`;

/** A book in a folder of its own, and the folder. */
function bookIn(t: TestContext, folder = join(temporaryFolder(t), "home")) {
  const book = new AddressBook(folder);
  atEnd(t, () => book.close());
  return { book, folder, path: join(folder, "peers.sqlite") };
}

test("a peer that was added is found by its name and by its id, also by the next process", (t) => {
  const { book, folder } = bookIn(t);

  const anna = book.add({ name: "anna", peerId: annaId, addresses: [at(1), at(2)] });

  const { book: next } = bookIn(t, folder);
  assert.deepEqual(anna, {
    name: "anna",
    peerId: annaId,
    addresses: [at(1), at(2)],
    seenAtMs: null,
  });
  assert.deepEqual(next.find("anna"), anna);
  assert.deepEqual(next.find("ANNA"), anna);
  assert.deepEqual(next.find(annaId), anna);
  assert.deepEqual(next.list(), [anna]);
});

test("looking into a book that was never written leaves nothing on the disk", (t) => {
  const { book, path } = bookIn(t);

  assert.deepEqual([book.list(), book.find("anna")], [[], undefined]);
  book.see(annaId, at(1), 1);

  assert.equal(statSync(path, { throwIfNoEntry: false }), undefined);
});

test("S20: the book is for its user alone", { skip: process.platform === "win32" }, (t) => {
  const { book, folder, path } = bookIn(t);
  mkdirSync(folder);
  writeFileSync(path, "", { mode: 0o666 });

  book.add({ name: "anna", peerId: annaId });

  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test("the same peer added again has the new addresses first, and each once", (t) => {
  const { book } = bookIn(t);
  book.add({ name: "anna", peerId: annaId, addresses: [at(1), at(2)] });

  const { addresses } = book.add({ name: "Anna", peerId: annaId, addresses: [at(3), at(1)] });

  assert.deepEqual(addresses, [at(3), at(1), at(2)]);
});

const clashes = [
  { name: "anna", peerId: bobId, says: /anna is the name of the peer abab/ },
  { name: "ANNA", peerId: bobId, says: /anna is the name of/ },
  { name: "ａｎｎａ", peerId: bobId, says: /anna is the name of/ },
  { name: "other", peerId: annaId, says: /is called anna already; use quiver peers rename/ },
  { name: "bob", peerId: "xy", says: /"xy" is not a peer id; quiver id prints it/ },
  { name: "bob", peerId: bobId, addresses: ["bob.example:1"], says: /is not an address/ },
];

for (const { says, ...peer } of clashes) {
  test(`S20: ${peer.name} for ${peer.peerId.slice(0, 4)} beside anna is refused: ${says.source}`, (t) => {
    const { book } = bookIn(t);
    const anna = book.add({ name: "anna", peerId: annaId });

    assert.throws(() => book.add(peer), { code: "INVALID_ARGUMENT", message: says });
    assert.deepEqual(book.list(), [anna]);
  });
}

test("a peer that is renamed keeps its addresses and gives its old name free", (t) => {
  const { book } = bookIn(t);
  book.add({ name: "anna", peerId: annaId, addresses: [at(1)] });

  const { name, addresses } = book.rename("anna", "annas-laptop");

  assert.deepEqual([name, addresses], ["annas-laptop", [at(1)]]);
  assert.equal(book.add({ name: "anna", peerId: bobId }).peerId, bobId);
  assert.throws(() => book.rename("annas-laptop", "ANNA"), { code: "INVALID_ARGUMENT" });
  assert.equal(book.rename("anna", "Anna").name, "Anna");
});

test("a peer that is forgotten is gone with its addresses", (t) => {
  const { book } = bookIn(t);
  book.add({ name: "anna", peerId: annaId, addresses: [at(1)] });

  assert.equal(book.forget(annaId).name, "anna");

  assert.deepEqual(book.list(), []);
  assert.deepEqual(book.add({ name: "anna", peerId: annaId }).addresses, []);
});

for (const change of ["rename", "forget"] as const) {
  test(`to ${change} somebody that nobody knows is refused`, (t) => {
    const { book } = bookIn(t);
    const unknown = { code: "INVALID_ARGUMENT", message: /nobody is called "carol\\x1b"/ };

    assert.throws(() => book[change]("carol\x1b", "c"), unknown);
  });
}

test("where a known peer was seen comes first; an unknown peer is not noted", (t) => {
  const { book } = bookIn(t);
  book.add({ name: "anna", peerId: annaId, addresses: [at(1)] });

  book.see(annaId, at(2), 1000);
  book.see(bobId, at(3), 2000);

  const [anna, ...others] = book.list();
  assert.deepEqual([anna?.addresses, anna?.seenAtMs], [[at(2), at(1)], 1000]);
  assert.deepEqual(others, []);
});

test("S20: addresses that were learnt never push out those that a person gave", (t) => {
  const { book } = bookIn(t);
  book.add({ name: "anna", peerId: annaId, addresses: [at(1)] });

  for (let n = 0; n < 100; n += 1) book.see(annaId, `198.51.100.${n}:1`, n);

  const { addresses = [] } = book.find("anna") ?? {};
  assert.equal(addresses.length, mostKnownAddresses + 1);
  assert.deepEqual([addresses[0], addresses.at(-1)], ["198.51.100.99:1", at(1)]);
});

test("of the ports of one host only the last that was learnt is kept, and each that was given", (t) => {
  const { book } = bookIn(t);
  book.add({ name: "anna", peerId: annaId, addresses: [at(1), "[2001:db8::1]:1"] });

  for (const port of [2, 33, 4444]) book.see(annaId, at(port), port);
  for (const port of [5, 6]) book.see(annaId, `[2001:db8::1]:${port}`, port);
  book.see(annaId, "192.0.2.11:7", 7);

  const { addresses } = book.find("anna") ?? {};
  const learnt = ["192.0.2.11:7", "[2001:db8::1]:6", at(4444)];
  assert.deepEqual(addresses, [...learnt, at(1), "[2001:db8::1]:1"]);
});

const names = [
  { text: "anna", isFine: true },
  { text: "Zoë", isFine: true },
  { text: "Zoe\u0308", isFine: true },
  { text: "安娜", isFine: true },
  { text: "anna-desktop.lan_2", isFine: true },
  { text: "x".repeat(64), isFine: true },
  { text: "x".repeat(65), isFine: false },
  { text: "", isFine: false },
  { text: "-rf", isFine: false },
  { text: "..", isFine: false },
  { text: "a:b", isFine: false },
  { text: "a/b", isFine: false },
  { text: "a\\b", isFine: false },
  { text: "a,b", isFine: false },
  { text: "a@b", isFine: false },
  { text: "a b", isFine: false },
  { text: "a\x1b[2J", isFine: false },
  { text: "a\u202eb", isFine: false },
  { text: "a\u200bb", isFine: false },
  { text: "\u3164", isFine: false },
  { text: "a\ud800", isFine: false },
  { text: annaId, isFine: false },
];

for (const { text, isFine } of names) {
  test(`${JSON.stringify(text)} ${isFine ? "can" : "cannot"} be a peer's name`, () => {
    if (isFine) assert.equal(parsePeerName(text), text.normalize("NFC"));
    else assert.throws(() => parsePeerName(text), { code: "INVALID_ARGUMENT" });
  });
}

const references = [
  { text: "anna", is: { name: "anna" } },
  { text: annaId.toUpperCase(), is: { peerId: annaId, addresses: [] } },
  { text: `${annaId}@${at(1)}`, is: { peerId: annaId, addresses: [at(1)] } },
  { text: `${annaId}@[2001:db8::1]:5`, is: { peerId: annaId, addresses: ["[2001:db8::1]:5"] } },
  { text: `${annaId}@`, is: null },
  { text: `${annaId}@anna.example:1`, is: null },
  { text: `anna@${at(1)}`, is: null },
];

for (const { text, is } of references) {
  test(`${text} ${is ? "names" : "does not name"} a peer`, () => {
    if (is) assert.deepEqual(parsePeerReference(text), is);
    else assert.throws(() => parsePeerReference(text), { code: "INVALID_ARGUMENT" });
  });
}

test("two processes that write at once lose nothing of each other", async (t) => {
  const { book, folder } = bookIn(t);
  const index = new URL("../src/index.ts", import.meta.url).href;
  const program = `
    import { AddressBook } from ${JSON.stringify(index)};
    const book = new AddressBook(${JSON.stringify(folder)});
    const [who] = process.argv.slice(1);
    for (let n = 0; n < 20; n += 1) {
      const id = Buffer.from(who + n).toString("hex").padEnd(64, "0");
      book.add({ name: who + n, peerId: id, addresses: ["192.0.2.1:" + n] });
    }`;
  const write = async (who: string) => {
    const args = ["--input-type=module", "--eval", program, who];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "inherit", "inherit"] });
    await once(child, "exit");
    return child.exitCode;
  };

  const statuses = await Promise.all(["a", "b"].map(write));

  assert.deepEqual(statuses, [0, 0]);
  assert.equal(book.list().length, 40);
});

test("a book that another process holds for long is busy, not broken", (t) => {
  const { book } = bookIn(t);
  book.add({ name: "anna", peerId: annaId });
  book.close();
  t.mock.method(loadSqlite().prototype, "exec", () => {
    throw Object.assign(new Error("database is locked"), { code: "ERR_SQLITE_ERROR", errcode: 5 });
  });

  assert.throws(() => book.list(), { code: "DISK_BUSY", message: /try again/ });
});

const damages: { what: string; damage: (path: string) => void }[] = [
  { what: "text", damage: (path) => writeFileSync(path, "no database, but text\n".repeat(99)) },
  { what: "half of it", damage: (path) => writeFileSync(path, halfOf(path)) },
  { what: "zeros in its tables", damage: (path) => writeFileSync(path, zeroed(path)) },
  { what: "a name with an escape", damage: change("UPDATE peers SET name = char(27)") },
  { what: "an address that is none", damage: change("UPDATE addresses SET address = 'x'") },
  { what: "an id that is none", damage: change("UPDATE peers SET peer_id = 'x'") },
];

for (const { what, damage } of damages) {
  test(`S20: a book that holds ${what} is told to be damaged, and what to do`, (t) => {
    const { book, path } = bookIn(t);
    book.add({ name: "anna", peerId: annaId, addresses: [at(1)] });
    book.close();
    damage(path);

    const told = { code: "DISK_FAILED", message: /peers\.sqlite is damaged; move it away/ };
    assert.throws(() => book.list(), told);
  });
}

test("a book of a later version is left alone", (t) => {
  const { book, path } = bookIn(t);
  book.add({ name: "anna", peerId: annaId });
  book.close();
  change("PRAGMA user_version = 2")(path);

  assert.throws(() => book.list(), { code: "DISK_FAILED", message: /later version.*update/ });
});

test("a book in a folder that is none cannot be used, and says so", (t) => {
  const folder = join(temporaryFolder(t), "file");
  writeFileSync(folder, "");
  const { book } = bookIn(t, folder);

  const told = { code: "DISK_DENIED", message: /set QUIVER_HOME/ };
  assert.throws(() => book.add({ name: "anna", peerId: annaId }), told);
});

test("what Node says of node:sqlite as it loads reaches nobody, and other warnings do", (t) => {
  const warned = t.mock.method(process, "emitWarning", () => {});
  const load = process.getBuiltinModule;
  const sqlite = load("node:sqlite");
  t.mock.method(process, "getBuiltinModule", () => {
    process.emitWarning("SQLite is an experimental feature");
    return sqlite;
  });

  loadSqlite();

  assert.equal(warned.mock.callCount(), 0);
  process.emitWarning("another");
  assert.equal(warned.mock.callCount(), 1);
});

function halfOf(path: string): Buffer {
  const bytes = readFileSync(path);
  return bytes.subarray(0, bytes.length / 2);
}

function zeroed(path: string): Buffer {
  return Buffer.from(readFileSync(path)).fill(0, 4096);
}

function change(sql: string): (path: string) => void {
  return (path) => {
    const database = new (loadSqlite())(path, { enableForeignKeyConstraints: false });
    database.exec(sql);
    database.close();
  };
}
