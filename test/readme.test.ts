/** The README's example runs as it stands. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { atEnd } from "./ending.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

test("the README's snippet sends a file and tells its hash", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "quiver-readme-"));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, "large_file.zip"), "not so large\n");
  const readme = await readFile(join(root, "README.md"), "utf8");
  const snippet = /```ts\n(.*?)```/s.exec(readme)?.[1] ?? "";
  const index = new URL("../src/index.ts", import.meta.url).href;
  // Two peers of one machine need two identities; people have two machines.
  const program = snippet
    .replace('"quiver"', JSON.stringify(index))
    .replace('name: "MyDevice"', 'name: "MyDevice", identity: await loadIdentity("identity")')
    .replace("{ Peer }", "{ loadIdentity, Peer }");
  await writeFile(join(folder, "snippet.ts"), program);

  const child = spawn(process.execPath, ["snippet.ts"], {
    cwd: folder,
    env: { ...process.env, QUIVER_HOME: join(folder, "home") },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const printed = await Array.fromAsync(child.stdout.setEncoding("utf8"));
  if (child.exitCode === null) await once(child, "exit");

  assert.equal(child.exitCode, 0);
  assert.match(printed.join(""), /large_file\.zip [0-9a-f]{64}\n/);
  const arrived = join(folder, "downloads", "from-my-device", "large_file.zip");
  assert.equal(await readFile(arrived, "utf8"), "not so large\n");
});
