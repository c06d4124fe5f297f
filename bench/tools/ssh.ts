/** An SSH server of the benchmark's own, with keys that are thrown away, and how to reach it. */

import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import type { Command } from "../side.ts";
import { program, programPath } from "./program.ts";
import type { Program } from "./tool.ts";

/** What a machine needs for it. */
export const sshPrograms: Program[] = [
  program("sshd", "apt install openssh-server"),
  program("ssh-keygen", "apt install openssh-client"),
];

/** The fastest cipher of OpenSSH on a machine with AES instructions. */
export const cipher = "aes128-gcm@openssh.com";

/** Who logs in on the sending host. */
export const user = userInfo().username;

export const sshPort = 2222;

/** Makes keys and configuration once; a second call changes nothing. */
export function prepareSsh(folder: string): void {
  const own = join(folder, "ssh");
  if (mkdirSync(own, { recursive: true }) === undefined) return;
  for (const name of ["host_key", "user_key"]) {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(own, name)]);
  }
  writeFileSync(
    join(own, "sshd_config"),
    [
      `Port ${sshPort}`,
      `HostKey ${join(own, "host_key")}`,
      `AuthorizedKeysFile ${join(own, "user_key.pub")}`,
      `Ciphers ${cipher}`,
      "PermitRootLogin prohibit-password",
      "PasswordAuthentication no",
      "StrictModes no",
      "UsePAM no",
      "UseDNS no",
      "PidFile none",
      "Subsystem sftp internal-sftp",
      "",
    ].join("\n"),
  );
  // sshd asks for this folder; Debian's start script makes it.
  mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
}

/** The server. */
export function sshServer(folder: string): Command {
  // sshd asks to be started by its whole path.
  const path = programPath("sshd") ?? "/usr/sbin/sshd";
  return { argv: [path, "-D", "-e", "-f", join(folder, "ssh", "sshd_config")] };
}

/** The options of ssh and scp that reach it. */
export function sshOptions(folder: string): string[] {
  return [
    ...["-F", "/dev/null", "-i", join(folder, "ssh", "user_key"), "-c", cipher],
    ...["-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "IdentitiesOnly=yes"],
    ...["-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"],
  ];
}
