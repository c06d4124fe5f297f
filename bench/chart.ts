/** The result as a picture: a bar for each tool, as an SVG of its own. Pure. */

import type { Result } from "./report.ts";
import type { Summary } from "./summary.ts";

/** Draws the median MB/s of every tool, its least and most as a whisker, fastest first. */
export function chart({ machine, options, data, summaries }: Result): string {
  const bars = summaries.toSorted(
    (a, b) => b.megabytesPerSecond.median - a.megabytesPerSecond.median,
  );
  const { cpu, cores, tcpCongestionControl: tcp } = machine;
  const most = Math.max(...bars.map(({ megabytesPerSecond }) => megabytesPerSecond.most)) || 1;
  const height = top + bars.length * rowHeight + margin;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" ` +
      `width="${width}" height="${height}" font-family="${fonts}" font-size="13">`,
    `<title>${escaped(`MB/s of ${bars.map(({ tool }) => tool).join(", ")}`)}</title>`,
    `<rect width="${width}" height="${height}" rx="8" fill="${colors.ground}"/>`,
    text(margin, 30, `wire ${options.wire.join(" ")}; ${options.data.text}`, titleStyle),
    text(margin, 50, `MB/s, median of ${options.rounds} rounds; whisker: least to most`, noteStyle),
    text(margin, 68, `${data.files} files; ${cpu}, ${cores} cores; TCP ${tcp}`, noteStyle),
    ...bars.map((summary, index) => bar(summary, top + index * rowHeight, plotWidth / most)),
    "</svg>",
    "",
  ].join("\n");
}

/** One tool's row, `y` its upper edge, `scale` the pixels of 1 MB/s. */
function bar({ tool, runs, megabytesPerSecond }: Summary, y: number, scale: number): string {
  const { median, least, most } = megabytesPerSecond;
  const isQuiver = tool === "quiver";
  const middle = y + rowHeight / 2;
  const [from, to] = [plotLeft + least * scale, plotLeft + most * scale];
  const whisker = `M${from} ${middle}H${to}M${from} ${middle - 4}v8M${to} ${middle - 4}v8`;
  const figure = runs > 0 ? median.toFixed(1) : "failed";
  const weight = isQuiver ? ' font-weight="bold"' : "";
  return [
    text(plotLeft - 8, middle + 4, tool, `text-anchor="end" fill="${colors.text}"${weight}`),
    `<rect x="${plotLeft}" y="${y + 4}" width="${median * scale}" height="${rowHeight - 8}" ` +
      `rx="2" fill="${isQuiver ? colors.quiver : colors.other}"/>`,
    `<path d="${whisker}" stroke="${colors.text}" fill="none"/>`,
    text(to + 8, middle + 4, figure, `fill="${colors.text}"${weight}`),
  ].join("\n");
}

function text(x: number, y: number, content: string, style: string): string {
  return `<text x="${x}" y="${y}" ${style}>${escaped(content)}</text>`;
}

function escaped(content: string): string {
  return content.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Its own ground makes the picture readable on a light page and on a dark one. */
const colors = {
  ground: "#f4f4f2",
  text: "#24292f",
  note: "#57606a",
  quiver: "#c2410c",
  other: "#94a3b8",
};
const fonts = "system-ui, Segoe UI, Helvetica, Arial, sans-serif";
const titleStyle = `fill="${colors.text}" font-size="15" font-weight="bold"`;
const noteStyle = `fill="${colors.note}"`;

const width = 720;
const margin = 20;
const top = 84;
const rowHeight = 28;
const plotLeft = 120;
/** Leaves room for the figure behind the longest whisker. */
const plotWidth = width - plotLeft - margin - 56;
