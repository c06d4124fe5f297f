/**
 * `npm run bench`: quiver and the tools that a person could pick instead, on one wire, in turn.
 *
 * docs/performance.md says what is measured and how.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chart } from "./chart.ts";
import { makeData } from "./data.ts";
import { interrupt, runBenchmark, withLab } from "./interrupt.ts";
import { describeMachine } from "./machine.ts";
import { type Bench, measure, type Run } from "./measure.ts";
import { readOptions, usage } from "./options.ts";
import { missingProfiler, printProfiles } from "./profile.ts";
import { progressLine, summaryTable } from "./report.ts";
import { summarize } from "./summary.ts";
import { chooseTools } from "./tools/table.ts";

/** Runs the benchmark and returns its exit status: 0 only if every run brought the right bytes. */
async function main(argv: string[]): Promise<number> {
  const options = readOptions(argv);
  if (options === "help") {
    console.log(usage);
    return 0;
  }
  if (process.getuid?.() !== 0) throw new Error("the benchmark needs root, to make its two hosts");
  const noProfiler = options.profile ? missingProfiler() : undefined;
  if (noProfiler) throw new Error(noProfiler);
  const { tools, missing } = chooseTools(options);
  for (const line of missing) console.error(`left out: ${line}`);

  return withLab(options.disk, async (lab, folder) => {
    console.error(`making the data (${options.data.text}) in ${folder}`);
    const data = makeData(options.data, join(folder, "data"), interrupt);

    lab.up(options.wire);
    // What TCP learns of the path in one run would help or hinder it in the next.
    lab.set("ipv4/tcp_no_metrics_save", "1");
    if (options.tcp) lab.setTcpCongestionControl(options.tcp);
    const bench: Bench = { lab, data, folder, options, signal: interrupt };
    mkdirSync(join(folder, "tools"));
    for (const tool of tools) tool.prepare?.(join(folder, "tools"));

    const runs: Run[] = [];
    for (let round = 1; round <= options.rounds; round += 1) {
      for (const tool of tools) {
        const run = await measure(bench, tool, round);
        runs.push(run);
        console.error(progressLine(run, data));
      }
    }

    const machine = describeMachine({ lab, tools, tcp: options.tcp });
    const summaries = summarize(runs, data);
    const result = { machine, options, data, summaries };
    console.log(summaryTable(result));
    if (options.profile) printProfiles(runs);
    if (options.json) {
      const everything = { ...result, runs, missing };
      writeFileSync(options.json, `${JSON.stringify(everything, null, 2)}\n`);
    }
    if (options.svg) writeFileSync(options.svg, chart(result));
    return runs.every((run) => run.failure === undefined) ? 0 : 1;
  });
}

await runBenchmark(() => main(process.argv.slice(2)));
