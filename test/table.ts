/** Lines of text as a table: names to the left, figures to the right. */
export function table(lines: readonly (readonly string[])[]): string {
  const columns = Math.max(...lines.map((line) => line.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...lines.map((line) => line[column]?.length ?? 0)),
  );
  return lines
    .map(([name = "", ...cells]) => {
      const figures = cells.map((cell, column) => cell.padStart(widths[column + 1] ?? 0));
      return [name.padEnd(widths[0] ?? 0), ...figures].join("  ");
    })
    .join("\n");
}
