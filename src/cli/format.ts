/** Bytes, rates, times and counts as people write them. */

/**
 * A byte count in decimal units, two or three digits long.
 *
 * @example
 * formatBytes(1_234_567_890); // "1.2 GB"
 * formatBytes(45_300_000); // "45 MB"
 */
export function formatBytes(bytes: number): string {
  let value = Math.max(0, bytes);
  for (const unit of byteUnits) {
    const isWhole = unit === "B" || value >= 9.95;
    const shown = isWhole ? Math.round(value).toFixed(0) : value.toFixed(1);
    if (Number(shown) < 1000 || unit === lastByteUnit) return `${shown} ${unit}`;
    value /= 1000;
  }
  return "";
}

/** Bytes per second, for example `45 MB/s`. */
export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(bytesPerSecond)}/s`;
}

/**
 * A duration in its two largest units; tenths below ten seconds, milliseconds below one.
 *
 * @example
 * formatDuration(130); // "2 min 10 s"
 * formatDuration(8.24); // "8.2 s"
 */
export function formatDuration(seconds: number): string {
  if (seconds < 0.9995) return `${Math.max(0, Math.round(seconds * 1000))} ms`;
  if (seconds < 9.95) return `${Number(seconds.toFixed(1))} s`;
  let rest = Math.round(seconds);
  const parts: string[] = [];
  for (const { unit, length } of timeUnits) {
    const count = Math.floor(rest / length);
    rest -= count * length;
    if (count > 0) parts.push(`${count} ${unit}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.join(" ");
}

/** The time left in whole seconds, rounded up, so that it does not flicker; `""` while unknown. */
export function formatTimeLeft(etaMs: number | null): string {
  if (etaMs === null || !Number.isFinite(etaMs)) return "";
  return `${formatDuration(Math.max(1, Math.ceil(etaMs / 1000)))} left`;
}

/** A count and its noun, for example `1 file` or `1,204 files`. */
export function formatCount(count: number, noun: string): string {
  return `${groupDigits(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** A whole number as `1,204`. By hand: the first use of `Intl` costs a process 25 ms. */
export function groupDigits(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** A time of this machine's clock, to the minute: `2026-11-22 09:05`. By hand, like {@link groupDigits}. */
export function formatDate(ms: number): string {
  const date = new Date(ms);
  const two = (value: number) => String(value).padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** The share that is done in whole percent; 100 only when all is done. */
export function formatPercent(done: number, total: number): string {
  if (done >= total) return "100%";
  return `${Math.min(99, Math.floor((100 * done) / total))}%`;
}

const byteUnits = ["B", "kB", "MB", "GB", "TB", "PB"] as const;
const lastByteUnit = "PB";

const timeUnits = [
  { unit: "d", length: 86_400 },
  { unit: "h", length: 3_600 },
  { unit: "min", length: 60 },
  { unit: "s", length: 1 },
] as const;
