/** qcp: QUIC between two ends that ssh has introduced. */

import { basename, join } from "node:path";
import { firstLine, program, programPath } from "./program.ts";
import { prepareSsh, sshOptions, sshPort, sshPrograms, sshServer, user } from "./ssh.ts";
import { listening, type Tool } from "./tool.ts";

export const qcp: Tool = {
  name: "qcp",
  title: "qcp, told the rate and the round trip, BBR on a wan",
  carries: "both",
  encrypts: true,
  needs: [
    program("qcp", "cargo install qcp"),
    program("ssh", "apt install openssh-client"),
    ...sshPrograms,
  ],
  version: () => firstLine("qcp", "--version"),
  prepare: prepareSsh,
  plan: ({ data, into, address, folder, wire }) => ({
    sender: sshServer(folder),
    staysUp: true,
    ready: listening(sshPort),
    receiver: () => ({
      argv: [
        ...["qcp", "--quiet", "--ssh-config", "/dev/null", ...settingsFor(wire)],
        ...["-p", `${sshPort}`, ...sshOptions(folder)].flatMap((option) => ["-S", option]),
        ...["--remote-qcp-binary", programPath("qcp") ?? "qcp"],
        ...(data.isFolder ? ["-r"] : []),
        ...[`${user}@${address}:${data.path}`, join(into, basename(data.path))],
      ],
    }),
  }),
};

/**
 * What qcp leaves to its user: bytes a second, the round trip in whole milliseconds, and BBR where
 * packets are lost; its CUBIC needs more than a minute for 8 MiB of the default wan.
 */
function settingsFor([kind, ...settings]: readonly string[]): string[] {
  const setting = (name: string) =>
    Number(settings.find((text) => text.startsWith(`${name}=`))?.slice(name.length + 1) ?? 0);
  const megabits = setting("rate") || (kind === "gigabit" ? 1_000 : fastMegabits);
  const roundTripMs = Math.round(2 * setting("delay")) || localRoundTripMs;
  return [
    ...["--rx", `${megabits * 125_000}`, "--rtt", `${roundTripMs}`],
    ...(kind === "wan" ? ["--congestion", "bbr"] : []),
  ];
}

/** For a wire without a limit of its own. */
const fastMegabits = 10_000;
const localRoundTripMs = 5;
