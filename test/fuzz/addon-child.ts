/**
 * Calls the addon as an input says, in a process of its own: whatever is wrong, it must live on.
 *
 * It works in the folder that it is given. Its parent sends inputs as hex and gets what happened,
 * or what was thrown that is no error.
 */

import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { type AddonEndpoint, loadAddon } from "../../src/engine/native-addon.ts";
import { defaultTuning } from "../../src/index.ts";
import { argumentsOf, Choices } from "./addon-values.ts";

const addon = loadAddon();
addon.startRuntime({ workerThreads: 1, slowDiskCallMs: 10 });
const home = process.argv[2] ?? "";
process.chdir(home);
process.on("disconnect", () => process.exit());
process.on("message", (input: string) => {
  call(Buffer.from(input, "hex")).then(
    (outcome) => process.send?.({ outcome }),
    (error) => process.send?.({ broken: String(error?.stack ?? error) }),
  );
});

/** Makes calls until the input is used up, and tells what came of them. */
async function call(input: Uint8Array): Promise<string> {
  const choices = new Choices(input);
  const { handles, close } = await openHandles();
  const calls: Promise<string>[] = [];
  while (!choices.isOver && calls.length < mostCalls) {
    const target = handles[choices.below(handles.length)];
    const names = methodsOf(target);
    const name = String(choices.pick(names));
    const owner = choices.below(16) === 0 ? choices.pick(handles) : target;
    const args = argumentsOf(name, choices, handles);
    const outcome = outcomeOf(() => invoke(target, name, owner, args));
    calls.push(outcome.then((text) => `${target?.constructor?.name}.${name} ${text}`));
  }
  const outcomes = await Promise.all(calls);
  close();
  return outcomes.join("; ");
}

/** Reads a getter, or calls a method on an object that may be a wrong one. */
function invoke(target: unknown, name: string, owner: unknown, args: unknown[]): unknown {
  const holder = target === addon ? addon : Object.getPrototypeOf(target);
  const { get, value: method } = Object.getOwnPropertyDescriptor(holder, name) ?? {};
  if (get) return Reflect.apply(get, owner, []);
  // A class of the addon: JavaScript cannot make one.
  if (name === "constructor" || /^[A-Z]/.test(name)) return Reflect.construct(method, args);
  return Reflect.apply(method, owner, args);
}

/** What a call came to in a few words. Throws when something was thrown that is no error. */
async function outcomeOf(act: () => unknown): Promise<string> {
  try {
    const result = act();
    if (!(result instanceof Promise)) return typeof result;
    result.catch(() => {});
    const settled = await Promise.race([result.then((got) => typeof got), setTimeout(10, "waits")]);
    return settled;
  } catch (error) {
    if (!(error instanceof Error)) throw new Error(`thrown: ${String(error)}`);
    return error.message
      .replace(/\d+/g, "N")
      .replace(/[^\w :,]+/g, "_")
      .slice(0, 60);
  }
}

function methodsOf(target: unknown): string[] {
  if (target === addon) {
    // It takes effect once in a process.
    return Object.getOwnPropertyNames(addon).filter((name) => name !== "startRuntime");
  }
  return Object.getOwnPropertyNames(Object.getPrototypeOf(target));
}

/** One handle of each kind that is open, one of each that is closed, and a connection. */
async function openHandles() {
  rmSync(join(home, "disk"), { recursive: true, force: true });
  mkdirSync(join(home, "disk", "sub"), { recursive: true });
  writeFileSync(join(home, "disk", "a"), Buffer.alloc(2058, 7));
  symlinkSync("/etc/passwd", join(home, "disk", "link"));
  const open = async () => {
    const folder = await addon.openFolder(Buffer.from(join(home, "disk")));
    const source = await folder.openSource(Buffer.from("a"), true);
    const partial = await folder.createPartial(Buffer.from(`p${Math.random()}`), 2058, 0o600);
    const log = await folder.openLog(Buffer.from(`l${Math.random()}`));
    return [folder, source, partial, log];
  };
  const [opened, closed] = [await open(), await open()];
  for (const handle of closed) handle.close();
  const { endpoints, others } = await connect();
  const handles: unknown[] = [addon, ...opened, ...closed, ...endpoints, ...others];
  // In the background: an endpoint waits a while for its peer.
  const close = () => {
    for (const endpoint of endpoints) endpoint.close().catch(() => {});
    for (const handle of opened) handle.close();
  };
  return { handles, close };
}

async function connect(): Promise<{ endpoints: AddonEndpoint[]; others: unknown[] }> {
  const own = { listen: ["127.0.0.1:0"], alpn: "quiver-fuzz/1", ownThread: false };
  const options = { ...defaultTuning, ...own };
  const bind = () =>
    addon.bindEndpoint({ ...options, secretKey: crypto.getRandomValues(new Uint8Array(32)) });
  const [from, to] = [await bind(), await bind()];
  const accepting = from.accept();
  const far = await to.connect(from.peerId, from.addresses, 5000);
  const near = await accepting;
  if (!near) throw new Error("the endpoint was closed");
  const send = await near.openUnidirectional();
  await send.write(Buffer.alloc(5000, 7));
  const receive = await far.acceptUnidirectional();
  return { endpoints: [from, to], others: [near, far, send, receive] };
}

const mostCalls = 8;
