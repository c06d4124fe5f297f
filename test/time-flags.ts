/** What commands are told that play their parts until a time is over. */

import { parseArgs } from "node:util";

/** A command, and the parts among which it may be told to choose. */
export interface Command<Part> {
  name: string;
  /** Unless it is told. */
  minutes: number;
  parts: readonly Part[];
  nameOf: (part: Part) => string;
  /** The flag that chooses, and whether its text means a part; it may come several times. */
  flag: string;
  isMeant: (name: string, text: string) => boolean;
}

/** For how long, from which seed, and what. */
export interface Run<Part> {
  minutes: number;
  seed: number;
  chosen: Part[];
}

/** Reads the flags; ends the process for `--help`, and with 2 for what makes no run. */
export function readRun<Part>(command: Command<Part>): Run<Part> {
  const { name, minutes, parts, nameOf, flag } = command;
  const flags = `[--minutes ${minutes}] [--seed S] [--${flag} TEXT]...`;
  const names = parts.map((part) => `  ${nameOf(part)}`).join("\n");
  const usage = `npm run ${name} -- ${flags}; all of these, or some:\n${names}`;
  try {
    const run = parseRun(command);
    if (run) return run;
    console.log(usage);
    process.exit(0);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${usage}`);
    process.exit(2);
  }
}

/** Null where help is asked for. */
function parseRun<Part>(command: Command<Part>): Run<Part> | null {
  const { parts, nameOf, flag, isMeant } = command;
  const options = {
    minutes: { type: "string", default: `${command.minutes}` },
    seed: { type: "string", default: `${Date.now() % 2 ** 31}` },
    help: { type: "boolean", default: false },
  } as const;
  const choosing = { type: "string", multiple: true, default: [] } as const;
  const { values } = parseArgs({ options: { ...options, [flag]: choosing } });
  if (values.help) return null;
  const texts = (values as Record<string, unknown>)[flag] as string[];
  const isWanted = (part: Part) => texts.some((text) => isMeant(nameOf(part), text));
  const chosen = texts.length === 0 ? [...parts] : parts.filter(isWanted);
  const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
  if (!(minutes > 0)) throw new Error(`--minutes ${values.minutes}: not above 0`);
  if (!Number.isInteger(seed)) throw new Error(`--seed ${values.seed}: no whole number`);
  if (chosen.length === 0) throw new Error(`--${flag} ${texts.join(` --${flag} `)}: none of them`);
  return { minutes, seed, chosen };
}
