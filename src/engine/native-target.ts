/** The systems that the addon is published for, each in an npm package of its own, as napi-rs has it. */

/** A system, in the words of npm's `os`, `cpu` and `libc`, and of Rust. */
export interface NativeTarget {
  readonly os: "darwin" | "linux" | "win32";
  readonly cpu: "arm64" | "x64";
  /** On Linux only. */
  readonly libc?: "glibc" | "musl";
  /** What cargo builds for. */
  readonly triple: string;
}

/** Each system by its name, which ends the name of its package. */
export const nativeTargets: Readonly<Record<string, NativeTarget>> = {
  "darwin-arm64": macOs("arm64", "aarch64-apple-darwin"),
  "darwin-x64": macOs("x64", "x86_64-apple-darwin"),
  "linux-arm64-gnu": linux("arm64", "glibc", "aarch64-unknown-linux-gnu"),
  "linux-arm64-musl": linux("arm64", "musl", "aarch64-unknown-linux-musl"),
  "linux-x64-gnu": linux("x64", "glibc", "x86_64-unknown-linux-gnu"),
  "linux-x64-musl": linux("x64", "musl", "x86_64-unknown-linux-musl"),
  "win32-x64-msvc": { os: "win32", cpu: "x64", triple: "x86_64-pc-windows-msvc" },
};

/** What tells one system from another. */
export interface Host {
  /** `process.platform`. */
  platform: string;
  /** `process.arch`. */
  arch: string;
  /** The C library's version where it is glibc. */
  glibcVersion?: string | undefined;
}

/** The name of a system, also of one that nothing is published for. */
export function targetName({ platform, arch, glibcVersion }: Host): string {
  const name = `${platform}-${arch}`;
  if (platform === "linux") return `${name}-${glibcVersion ? "gnu" : "musl"}`;
  return platform === "win32" ? `${name}-msvc` : name;
}

/** The system that this process runs on. */
export function thisHost(): Host {
  const { platform, arch } = process;
  return { platform, arch, glibcVersion: platform === "linux" ? glibcVersion() : undefined };
}

/** The npm package that holds the addon for a system. */
export function nativePackage(target: string): string {
  return `quiver-${target}`;
}

/** Says what to do on a system whose addon is not there; `isCheckout` where it can be built. */
export function missingAddon(target: string, isCheckout: boolean): string {
  if (isCheckout) return "the native part is not built; run `npm run build:native`";
  if (!(target in nativeTargets)) {
    const known = Object.keys(nativeTargets).join(", ");
    return `there is no native part for ${target}, only for ${known}; build one from quiver's sources`;
  }
  const name = nativePackage(target);
  return (
    `the native part for ${target} is not installed; install quiver again with optional ` +
    `dependencies, or add the package ${name} of the same version`
  );
}

function macOs(cpu: NativeTarget["cpu"], triple: string): NativeTarget {
  return { os: "darwin", cpu, triple };
}

function linux(
  cpu: NativeTarget["cpu"],
  libc: NativeTarget["libc"] & string,
  triple: string,
): NativeTarget {
  return { os: "linux", cpu, libc, triple };
}

/** The version of the C library; without asking the network for names, as a report does by itself. */
function glibcVersion(): string | undefined {
  const report: NodeJS.ProcessReport & { excludeNetwork?: boolean } = process.report;
  const { excludeNetwork = false } = report;
  report.excludeNetwork = true;
  const { header } = report.getReport() as { header: { glibcVersionRuntime?: string } };
  report.excludeNetwork = excludeNetwork;
  return header.glibcVersionRuntime;
}
