/** The npm package that holds the addon for a system. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  missingAddon,
  nativePackage,
  nativeTargets,
  targetName,
  thisHost,
} from "../src/engine/native-target.ts";

const hosts = [
  { platform: "linux", arch: "x64", glibcVersion: "2.36", name: "linux-x64-gnu" },
  { platform: "linux", arch: "arm64", glibcVersion: "2.28", name: "linux-arm64-gnu" },
  { platform: "linux", arch: "x64", name: "linux-x64-musl" },
  { platform: "linux", arch: "arm64", name: "linux-arm64-musl" },
  { platform: "darwin", arch: "x64", name: "darwin-x64" },
  { platform: "darwin", arch: "arm64", name: "darwin-arm64" },
  { platform: "win32", arch: "x64", name: "win32-x64-msvc" },
];

for (const { name, ...host } of hosts) {
  test(`${host.arch} ${host.platform} with glibc ${host.glibcVersion} is ${name}`, () => {
    assert.equal(targetName(host), name);
    const { os, cpu } = nativeTargets[name] ?? {};
    assert.deepEqual({ os, cpu }, { os: host.platform, cpu: host.arch });
  });
}

test("each published target is reached by some host", () => {
  assert.deepEqual(Object.keys(nativeTargets), hosts.map(({ name }) => name).sort());
});

test("a system that nothing is published for has a name, too", () => {
  assert.equal(targetName({ platform: "freebsd", arch: "x64" }), "freebsd-x64");
  assert.equal(targetName({ platform: "win32", arch: "arm64" }), "win32-arm64-msvc");
});

test("this host's C library is known", { skip: process.platform !== "linux" }, () => {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };

  assert.equal(thisHost().glibcVersion, header.glibcVersionRuntime);
});

const missing = [
  { target: "linux-x64-gnu", isCheckout: true, says: /not built; run `npm run build:native`$/ },
  { target: "linux-x64-gnu", isCheckout: false, says: /add the package quiver-linux-x64-gnu of/ },
  { target: "freebsd-x64", isCheckout: false, says: /for freebsd-x64, only for darwin-arm64, / },
];

for (const { target, isCheckout, says } of missing) {
  test(`without an addon for ${target}, checkout ${isCheckout}, one sentence says what to do`, () => {
    const text = missingAddon(target, isCheckout);

    assert.match(text, says);
    assert.doesNotMatch(text, /\.$|\n/);
  });
}

test("the release workflow builds each target, and the licences of each are checked", () => {
  const workflow = read(".github/workflows/release.yml");
  const licences = read("native/deny.toml");

  for (const [name, { triple }] of Object.entries(nativeTargets)) {
    assert.match(workflow, new RegExp(`name: ${name}\\b`), nativePackage(name));
    assert.ok(licences.includes(`"${triple}"`), triple);
  }
});

function read(path: string): string {
  return readFileSync(new URL(`../${path}`, import.meta.url), "utf8");
}
