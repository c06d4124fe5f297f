/** Decides, folder by folder of a walk, what of a source is left out. */

import type { Engine, FolderEntry } from "../engine/engine.ts";
import { TransferError } from "../errors.ts";
import { decodeName } from "../lossless-name.ts";
import { Patterns } from "./patterns.ts";

/** What of the named folders is sent. */
export interface SourceChoice {
  /**
   * Patterns as in `.gitignore`, for paths from a named folder on: what fits is left out.
   *
   * A folder that fits is not walked. What is named itself is never left out. @default none
   */
  exclude?: readonly string[];
  /** Leave out what `.gitignore` files say, those of the named folders and below. @default false */
  gitignore?: boolean;
}

/** The patterns that hold in one folder. */
export class FolderChoice {
  readonly #given: Patterns;
  readonly #isGitignored: boolean;
  /** Those of `.gitignore` files, and how deep each lies; the innermost decides first. */
  readonly #files: readonly { depth: number; patterns: Patterns }[];

  private constructor(
    given: Patterns,
    isGitignored: boolean,
    files: readonly { depth: number; patterns: Patterns }[],
  ) {
    this.#given = given;
    this.#isGitignored = isGitignored;
    this.#files = files;
  }

  /** The choice before any folder was entered. `INVALID_ARGUMENT` for a pattern that fits nothing. */
  static of({ exclude = [], gitignore = false }: SourceChoice): FolderChoice {
    return new FolderChoice(Patterns.given(exclude), gitignore, []);
  }

  /**
   * The choice in a folder, with the patterns of its own file.
   *
   * A file that is there and cannot be read is a failure: what it hides must not travel.
   */
  async enter(engine: Engine, folder: EnteredFolder): Promise<FolderChoice> {
    const isThere = folder.inside.some(({ name, kind }) => name === fileName && kind === "file");
    if (!this.#isGitignored || !isThere) return this;
    const patterns = await readPatterns(engine, folder);
    if (patterns.isEmpty) return this;
    const files = [{ depth: folder.parts.length, patterns }, ...this.#files];
    return new FolderChoice(this.#given, true, files);
  }

  /** Whether something is left out; `parts` is its path from the named folder's own name on. */
  isExcluded(parts: readonly string[], kind: FolderEntry["kind"]): boolean {
    if (this.#given.isEmpty && this.#files.length === 0) return false;
    const what = kind === "folder" ? "folder" : "other";
    // What was typed beats what lies in files.
    const given = this.#given.decide(parts.slice(1), what);
    if (given !== undefined) return given;
    for (const { depth, patterns } of this.#files) {
      const decided = patterns.decide(parts.slice(depth), what);
      if (decided !== undefined) return decided;
    }
    return false;
  }
}

/** A folder that is walked. */
export interface EnteredFolder {
  absolute: string;
  /** Its path from the named folder's own name on. */
  parts: readonly string[];
  inside: readonly FolderEntry[];
}

async function readPatterns(engine: Engine, { absolute, parts }: EnteredFolder): Promise<Patterns> {
  try {
    const bytes = await engine.readFile(`${absolute}/${fileName}`, mostBytes);
    return Patterns.ofFile(decodeName(bytes));
  } catch (error) {
    if (!(error instanceof TransferError)) throw error;
    // The receiver is told, too: no more of the path than what was offered.
    const path = [...parts, fileName].join("/");
    const message = `${path} cannot be read, nor what it leaves out; mend it or send without --gitignore`;
    throw new TransferError(error.code, message, { cause: error });
  }
}

const fileName = ".gitignore";
/** A list of patterns that somebody wrote is shorter. */
const mostBytes = 1024 * 1024;
