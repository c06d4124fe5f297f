/** What is decided about an offer before it is received: by a person or a program, once. */

import { join, resolve } from "node:path";
import type { Engine, Folder } from "../engine/engine.ts";
import { absolutePath } from "../named-path.ts";
import type { ConflictPolicy } from "../transfer/conflicts.ts";
import type { EntryChooser } from "../transfer/entry-choice.ts";
import type { ConflictChoice, OfferSummary } from "../transfer/events.ts";
import { openBelow, openInbox } from "../transfer/inbox.ts";
import type { IncomingDecision, IncomingOptions } from "../transfer/incoming-options.ts";
import { nameRules } from "../transfer/landing-name.ts";
import type { PeerContext } from "./context.ts";
import type { OfferAnswer, ReceiveOptions } from "./peer-options.ts";

/**
 * Asks once about each content: what was accepted is accepted again after a lost connection.
 *
 * @throws {TransferError} `INVALID_ARGUMENT` for an empty folder name, before anybody is asked.
 */
export function decideOnce(
  context: PeerContext,
  chooser: EntryChooser,
  options: ReceiveOptions,
): IncomingOptions["decide"] {
  const { accept = () => true } = options;
  const into = options.into === undefined ? undefined : absolutePath(options.into);
  // What is handed on arrives as a whole, and not in parts that are there already.
  const policy = options.output ? "rename" : options.onConflict;
  const onConflict = rememberChoices(policy ?? "rename");
  let accepted: { offered: string; chooser: EntryChooser } | null = null;
  return async (summary, fingerprint) => {
    const offered = JSON.stringify([fingerprint, summary.targetDir]);
    if (accepted?.offered !== offered) {
      const answer = await accept(summary);
      if (!answer) return null;
      accepted = { offered, chooser: answer === true ? chooser : chooser.and(answer) };
    }
    const yes = { into, onConflict, executable: true, chooser: accepted.chooser };
    return decision(context, summary, yes);
  };
}

/** A policy that is asked once about each path. */
function rememberChoices(policy: ConflictPolicy): ConflictPolicy {
  if (typeof policy !== "function") return policy;
  const choices = new Map<string, ConflictChoice>();
  return async (conflict) => {
    const choice = choices.get(conflict.path) ?? (await policy(conflict));
    choices.set(conflict.path, choice);
    return choice;
  };
}

/** An offer that is accepted, as far as it was said how. */
interface Yes extends Pick<Exclude<OfferAnswer, boolean>, "into" | "onConflict" | "executable"> {
  chooser: EntryChooser;
}

/** What a yes comes to. */
export function decision(
  { engine, options }: PeerContext,
  { targetDir }: OfferSummary,
  { into, onConflict, executable, chooser }: Yes,
): IncomingDecision {
  const path = into ?? options.inbox ?? ".";
  return {
    openTarget: () => openTarget(engine, path, targetDir),
    into: join(resolve(path), targetDir),
    onConflict: onConflict ?? "rename",
    executable: executable ?? false,
    chooser,
  };
}

async function openTarget(engine: Engine, path: string, targetDir: string): Promise<Folder> {
  const inbox = await openInbox(engine, path);
  try {
    return await openBelow(inbox, targetDir, nameRules(process.platform));
  } finally {
    await inbox.close();
  }
}
