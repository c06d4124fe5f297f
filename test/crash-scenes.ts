/** Small transfers, each with a way of its own to land: for tests that crash them everywhere. */

import type { Scene } from "./crash-life.ts";

/** See the file's head. */
export const scenes: readonly Scene[] = [
  {
    name: "one file of many pieces",
    offer: ["large.bin"],
    prepare({ sender, bytes }) {
      sender.write("/home/large.bin", bytes(10_000), aged);
    },
  },
  {
    name: "a tree with all kinds of things",
    offer: ["tree"],
    prepare({ sender, bytes }) {
      sender.write("/home/tree/small", bytes(10), aged);
      sender.write("/home/tree/empty", bytes(0), aged);
      sender.write("/home/tree/sub/tool", bytes(700), { ...aged, mode: 0o755 });
      sender.write("/home/tree/sub/fixed", bytes(3000), { ...aged, mode: 0o444 });
      sender.write("/home/tree/sub/large.bin", bytes(6000), aged);
      sender.folder("/home/tree/sub/deep/empty");
      sender.link("/home/tree/sub/link", "../small");
    },
  },
  {
    name: "a folder that may not be written",
    offer: ["tree"],
    prepare({ sender, bytes }) {
      sender.write("/home/tree/sub/small", bytes(300), { ...aged, mode: 0o400 });
      sender.folderAt("/home/tree/sub").mode = 0o555;
      sender.folderAt("/home/tree").mode = 0o500;
    },
  },
  {
    name: "a file over one that is equal in part",
    offer: ["large.bin"],
    onConflict: "overwrite",
    prepare({ sender, receiver, bytes }) {
      const content = bytes(10_000);
      receiver.write("/home/inbox/large.bin", content);
      bytes(2000).copy(content, 3000);
      sender.write("/home/large.bin", content, aged);
    },
  },
  {
    name: "a folder into one that is there",
    offer: ["album"],
    onConflict: "overwrite",
    prepare({ sender, receiver, bytes }) {
      const [equal, other] = [bytes(5000), bytes(5000)];
      sender.write("/home/album/equal", equal, aged);
      sender.write("/home/album/other", other, aged);
      sender.write("/home/album/new/inner", bytes(500), aged);
      sender.link("/home/album/link", "new/inner");
      receiver.write("/home/inbox/album/equal", equal);
      receiver.write("/home/inbox/album/other", bytes(5000));
      receiver.write("/home/inbox/album/mine", bytes(50));
    },
  },
  {
    name: "what is missing of a folder",
    offer: ["album"],
    onConflict: "skip",
    prepare({ sender, receiver, bytes }) {
      sender.write("/home/album/both", bytes(2000), aged);
      sender.write("/home/album/new", bytes(5000), aged);
      receiver.write("/home/inbox/album/both", bytes(50));
    },
  },
  {
    name: "two things at once, of which one gets another name",
    offer: ["first.bin", "second"],
    prepare({ sender, receiver, bytes }) {
      sender.write("/home/first.bin", bytes(5000), aged);
      sender.write("/home/second/inner", bytes(4000), aged);
      receiver.write("/home/inbox/second/mine", bytes(20));
    },
  },
  {
    name: "a transfer that was cut twice",
    offer: ["large.bin", "tree"],
    cuts: [8000, 5000],
    prepare({ sender, bytes }) {
      sender.write("/home/large.bin", bytes(10_000), aged);
      sender.write("/home/tree/one", bytes(600), aged);
      sender.write("/home/tree/two", bytes(3000), aged);
    },
  },
  {
    name: "a source that has changed after a cut",
    offer: ["large.bin", "short"],
    cuts: [13_000],
    prepare({ sender, bytes }) {
      sender.write("/home/large.bin", bytes(10_000), aged);
      sender.write("/home/short", bytes(4000), aged);
    },
    change(sender) {
      const content = sender.read("/home/large.bin");
      content.fill(7, 3000, 3100);
      sender.write("/home/large.bin", content);
      sender.write("/home/short", sender.read("/home/short").subarray(0, 3000));
    },
  },
  {
    name: "staged files that somebody has changed after a cut",
    offer: ["large.bin", "gone", "cut"],
    cuts: [18_000],
    prepare({ sender, bytes }) {
      sender.write("/home/gone", bytes(4000), aged);
      sender.write("/home/cut", bytes(4000), aged);
      sender.write("/home/large.bin", bytes(10_000), aged);
    },
    tamper(receiver, staged) {
      receiver.remove(`${staged}/gone`);
      receiver.write(`${staged}/cut`, receiver.read(`${staged}/cut`).subarray(0, 1500));
      const content = receiver.read(`${staged}/large.bin`);
      for (let at = 0; at < content.length; at += 3000) content[at] = 255 - (content[at] ?? 0);
      const mtimeMs = (receiver.stat("/home/inbox")?.mtimeMs ?? 0) + 60_000;
      receiver.write(`${staged}/large.bin`, content, { mtimeMs });
    },
  },
  {
    name: "a tree that travels with its offer",
    offer: ["tree"],
    isContent: true,
    prepare({ sender, bytes }) {
      sender.write("/home/tree/small", bytes(10), aged);
      sender.write("/home/tree/empty", bytes(0), aged);
      sender.write("/home/tree/sub/fixed", bytes(3000), { ...aged, mode: 0o444 });
      sender.write("/home/tree/sub/large.bin", bytes(6000), aged);
      sender.link("/home/tree/link", "small");
    },
  },
  {
    name: "what is missing of a folder that travels with its offer",
    offer: ["album", "second"],
    onConflict: "skip",
    isContent: true,
    prepare({ sender, receiver, bytes }) {
      sender.write("/home/album/both", bytes(2000), aged);
      sender.write("/home/album/new", bytes(5000), aged);
      sender.write("/home/second", bytes(3000), aged);
      receiver.write("/home/inbox/album/both", bytes(50));
    },
  },
];

/** A time that no file gets by itself. */
const aged = { mtimeMs: 1_600_000_000_000 };
