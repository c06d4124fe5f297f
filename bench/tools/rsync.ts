/** rsync, to a target that is empty: its delta algorithm has nothing to do. */

import { writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { firstLine, program } from "./program.ts";
import { prepareSsh, sshOptions, sshPort, sshPrograms, sshServer, user } from "./ssh.ts";
import { listening, type Tool } from "./tool.ts";

const rsyncProgram = program("rsync", "apt install rsync");

/** rsync's own daemon: plain TCP. */
export const rsync: Tool = {
  name: "rsync",
  title: "rsync daemon, plain TCP",
  carries: "both",
  encrypts: false,
  needs: [rsyncProgram],
  version: () => firstLine("rsync", "--version"),
  plan({ data, into, address, folder }) {
    const configuration = join(folder, "rsyncd.conf");
    writeFileSync(configuration, daemonConfiguration(dirname(data.path)));
    return {
      sender: {
        argv: [
          ...["rsync", "--daemon", "--no-detach", `--config=${configuration}`],
          ...[`--address=${address}`, `--port=${port}`],
        ],
      },
      staysUp: true,
      ready: listening(port),
      receiver: () => ({
        argv: ["rsync", "-a", `rsync://${address}:${port}/source/${basename(data.path)}`, into],
      }),
    };
  },
};

/** rsync over ssh with the cipher that scp has. */
export const rsyncSsh: Tool = {
  name: "rsync-ssh",
  title: "rsync over ssh, aes128-gcm",
  carries: "both",
  encrypts: true,
  needs: [rsyncProgram, program("ssh", "apt install openssh-client"), ...sshPrograms],
  version: () => firstLine("rsync", "--version"),
  prepare: prepareSsh,
  plan: ({ data, into, address, folder }) => ({
    sender: sshServer(folder),
    staysUp: true,
    ready: listening(sshPort),
    receiver: () => ({
      argv: [
        ...["rsync", "-a", "-e", ["ssh", "-p", sshPort, ...sshOptions(folder)].join(" ")],
        ...[`${user}@${address}:${data.path}`, into],
      ],
    }),
  }),
};

function daemonConfiguration(path: string): string {
  return [
    "use chroot = no",
    // Two hosts without a name server: the daemon would wait 10 s for the receiver's name.
    "reverse lookup = no",
    `uid = ${process.getuid?.() ?? 0}`,
    `gid = ${process.getgid?.() ?? 0}`,
    "[source]",
    `path = ${path}`,
    "",
  ].join("\n");
}

const port = 8873;
