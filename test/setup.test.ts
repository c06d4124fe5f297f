/** Set-up on machines that lack something, played with stand-ins for npm and cargo. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type TestContext, test } from "node:test";
import { atEnd } from "./ending.ts";

const root = resolve(import.meta.dirname, "..");
const posixOnly = { skip: process.platform === "win32" && "the stand-ins are shell scripts" };

test("without cargo, set-up says how to get Rust", posixOnly, (t) => {
  const machine = newMachine(t);

  const { status, stderr } = machine.setUp();

  assert.equal(status, 1);
  assert.match(stderr, /^quiver: .* no cargo: install Rust [\d.]+ or newer with rustup .*\.\n$/);
});

test("with a Rust that is too old, set-up says which one it needs", posixOnly, (t) => {
  const machine = newMachine(t);
  machine.addTool("cargo", "echo cargo 1.70.0");

  const { status, stderr } = machine.setUp();

  assert.equal(status, 1);
  assert.match(stderr, /^quiver: .* newer Rust than 1\.70: install Rust [\d.]+ or newer .*\.\n$/);
});

test("without a C compiler, set-up says how to get one", posixOnly, (t) => {
  const machine = newMachine(t);
  machine.addTool("cargo", workingCargo);

  const { status, stderr } = machine.setUp();

  assert.equal(status, 1);
  assert.match(stderr, /^quiver: .* C compiler, and there is none: install .*\.\n$/);
});

test("without npm, set-up says where it comes from", posixOnly, (t) => {
  const machine = newMachine(t);
  rmSync(join(machine.checkout, "node_modules"), { recursive: true });

  const { status, stderr } = machine.setUp();

  assert.equal(status, 1);
  assert.match(stderr, /quiver: there is no npm: install it .*\.\n$/);
});

test("with a Node that is too old, set-up says which one it needs", async () => {
  const { requireNode } = await import("../scripts/set-up/tools.mjs");

  assert.throws(
    () => requireNode("18.20.4"),
    /Node 18\.20\.4 is too old: install Node 20 or newer/,
  );
  assert.doesNotThrow(() => requireNode("20.0.0"));
});

test("bin/quiver without any Node says how to get one", posixOnly, (t) => {
  const machine = newMachine(t);
  rmSync(join(machine.checkout, "node_modules"), { recursive: true });
  machine.addTool("dirname", 'exec /usr/bin/dirname "$@"');

  const { status, stderr } = machine.run("/bin/sh", [join(machine.checkout, "bin", "quiver")]);

  assert.equal(status, 1);
  assert.match(stderr, /^quiver: there is no Node: install Node 20 or newer .*\.\n$/);
});

test("the addon is built once, with a line that says how long that takes", posixOnly, (t) => {
  const machine = newMachine(t);
  machine.addTool("cargo", workingCargo);
  machine.addTool("cc", "echo cc 1.0");

  const first = machine.setUp();
  const second = machine.setUp();

  assert.deepEqual([first.status, second.status], [0, 0]);
  assert.match(
    first.stderr,
    /^quiver: building the native addon once, about \d+ minutes on 2 cores\n$/,
  );
  assert.equal(second.stderr, "");
  assert.equal(machine.read("native/quiver.node"), "addon\n");
});

test("the addon is built again when a source's content changes, not its date", posixOnly, (t) => {
  const machine = newMachine(t);
  machine.addTool("cargo", workingCargo);
  machine.addTool("cc", "echo cc 1.0");
  machine.setUp();

  utimesSync(join(machine.checkout, "native/src/lib.rs"), 1, 1);
  const touched = machine.setUp();
  writeFileSync(join(machine.checkout, "native/src/lib.rs"), "// changed");
  const changed = machine.setUp();

  assert.equal(touched.stderr, "");
  assert.match(changed.stderr, /building the native addon again/);
});

test("a library that was built elsewhere is taken, and nothing is built then", posixOnly, (t) => {
  const machine = newMachine(t);
  const library = join(machine.tools, "some.so");
  writeFileSync(library, "built elsewhere\n");

  const taken = machine.run(process.execPath, [
    join(machine.checkout, "scripts/use-addon.mjs"),
    library,
  ]);
  const { status, stderr } = machine.setUp();

  assert.equal(taken.status, 0);
  assert.deepEqual({ status, stderr }, { status: 0, stderr: "" });
  assert.equal(machine.read("native/quiver.node"), "built elsewhere\n");
});

test("a build that fails leaves the addon as it was, and fails again", posixOnly, (t) => {
  const machine = newMachine(t);
  machine.addTool("cargo", '[ "$1" = build ] && exit 101; echo cargo 9.9.9');
  machine.addTool("cc", "echo cc 1.0");

  const first = machine.setUp();
  const second = machine.setUp();

  assert.deepEqual([first.status, second.status], [1, 1]);
  assert.match(second.stderr, /quiver: the native addon did not build: .*\.\n$/);
});

test("a changed lock file is installed again", posixOnly, (t) => {
  const machine = newMachine(t);
  machine.addTool("npm", 'echo "npm $*" >&2');
  machine.addTool("cargo", workingCargo);
  machine.addTool("cc", "echo cc 1.0");
  machine.setUp();

  writeFileSync(join(machine.checkout, "package-lock.json"), "{}");
  const changed = machine.setUp();
  const after = machine.setUp();

  assert.match(changed.stderr, /^quiver: installing dependencies .*\nnpm ci /);
  assert.equal(after.stderr, "");
});

test(
  "bin/quiver works through a link, from any folder, and passes on the exit status",
  posixOnly,
  (t) => {
    const machine = newMachine(t);
    machine.addTool("cargo", workingCargo);
    machine.addTool("cc", "echo cc 1.0");
    mkdirSync(join(machine.checkout, "src/cli"), { recursive: true });
    writeFileSync(
      join(machine.checkout, "src/cli/main.ts"),
      "console.log(JSON.stringify([process.cwd(), ...process.argv.slice(2)])); process.exitCode = 7;",
    );
    const link = join(machine.tools, "quiver");
    symlinkSync(join(machine.checkout, "bin", "quiver"), link);

    const path = `${machine.tools}:/usr/bin:/bin`;
    const { status, stdout } = machine.run(link, ["send", "a b"], { PATH: path });

    assert.equal(status, 7);
    assert.deepEqual(JSON.parse(stdout), [realpathSync(machine.tools), "send", "a b"]);
  },
);

/** Answers `cargo --version` and `cargo build` as one that works does. */
const workingCargo = `
[ "$1" = build ] || { echo cargo 9.9.9; exit 0; }
/bin/mkdir -p target/release
for name in libquiver_native.so libquiver_native.dylib; do echo addon > target/release/$name; done`;

/** A checkout whose dependencies are installed, on a machine whose PATH has no tool but those added. */
function newMachine(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "quiver-setup-"));
  atEnd(t, () => rmSync(folder, { recursive: true }));
  const checkout = join(folder, "check out");
  const tools = join(folder, "tools");
  mkdirSync(tools);
  for (const name of ["bin", "scripts", "package.json", "package-lock.json"]) {
    cpSync(join(root, name), join(checkout, name), { recursive: true });
  }
  mkdirSync(join(checkout, "native/src"), { recursive: true });
  cpSync(join(root, "native/Cargo.toml"), join(checkout, "native/Cargo.toml"));
  writeFileSync(join(checkout, "native/src/lib.rs"), "");
  mkdirSync(join(checkout, "node_modules/node/bin"), { recursive: true });
  symlinkSync(process.execPath, join(checkout, "node_modules/node/bin/node"));
  cpSync(
    join(checkout, "package-lock.json"),
    join(checkout, "node_modules/.installed-package-lock.json"),
  );

  const run = (command: string, args: string[], env: Record<string, string> = {}) =>
    spawnSync(command, args, { cwd: tools, env: { PATH: tools, ...env }, encoding: "utf8" });
  return {
    checkout,
    tools,
    run,
    setUp: () => run(process.execPath, [join(checkout, "scripts/set-up.mjs")]),
    addTool: (name: string, script: string) => {
      writeFileSync(join(tools, name), `#!/bin/sh\n${script}\n`);
      chmodSync(join(tools, name), 0o755);
    },
    read: (path: string) => readFileSync(join(checkout, path), "utf8"),
  };
}
