/** A live view of a transfer on a terminal: a bar, its facts and a map of the lanes. */

import { styleText } from "node:util";
import { createLogUpdate } from "log-update";
import type { TransferProgress } from "../index.ts";
import type { Display } from "./display.ts";
import { formatCount, formatPercent } from "./format.ts";
import { hasSize, laneMap, progressBar, progressFacts } from "./progress-bar.ts";

/** The part of a terminal that a display needs. */
export type TerminalStream = NodeJS.WritableStream & { columns?: number };

/** A display that redraws its last lines in place. */
export function terminalDisplay(stream: TerminalStream): Display {
  const drawing = createLogUpdate(stream);
  let questions: Promise<unknown> = Promise.resolve();
  let open = 0;
  let kept: string[] = [];

  const draw = (lines: string[]) => {
    kept = lines;
    if (open === 0) drawing(lines.join("\n"));
  };

  return {
    isSilent: false,
    print(line) {
      if (open > 0) stream.write(`${line}\n`);
      else drawing.persist(line);
    },
    status(text) {
      draw([styleText("dim", text, { stream })]);
    },
    progress(progress) {
      draw(progressView(progress, stream));
    },
    ask(question) {
      open += 1;
      drawing.clear();
      const answer = questions.then(question).finally(() => {
        open -= 1;
        if (open === 0 && kept.length > 0) draw(kept);
      });
      questions = answer.catch(() => {});
      return answer;
    },
    close() {
      kept = [];
      drawing.clear();
      drawing.done();
    },
  };
}

/** The lines of a live view, painted for a stream and no wider than it. */
export function progressView(progress: TransferProgress, stream: TerminalStream): string[] {
  const { bytes, total, lanes, laneBytes } = progress;
  const width = Math.max(10, Math.min(widestView, (stream.columns ?? 80) - 1));
  const lines = [progressFacts(progress, width)];
  if (hasSize(progress)) {
    const percent = formatPercent(bytes, total).padStart(5);
    const { done, open } = progressBar(total > 0 ? bytes / total : 1, width - percent.length);
    lines.unshift(
      `${styleText("cyan", done, { stream })}${styleText("dim", open, { stream })}${percent}`,
    );
  }
  if (lanes > 0) {
    const label = formatCount(lanes, "lane");
    const shared = hasSize(progress) ? total : laneBytes.reduce((sum, some) => sum + some, 0);
    const map = laneMap({ laneBytes, total: shared, width: width - label.length - 1 });
    lines.push(`${label} ${styleText("cyan", map, { stream })}`);
  }
  return lines;
}

/** A wider bar says no more, and is harder to take in. */
const widestView = 72;
