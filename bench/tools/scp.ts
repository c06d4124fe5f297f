/** scp: a copy over one SSH connection. */

import { firstLine, program } from "./program.ts";
import { prepareSsh, sshOptions, sshPort, sshPrograms, sshServer, user } from "./ssh.ts";
import { listening, type Tool } from "./tool.ts";

/** scp of OpenSSH with its fastest cipher. */
export const scp: Tool = {
  name: "scp",
  title: "scp, aes128-gcm",
  carries: "both",
  encrypts: true,
  needs: [program("scp", "apt install openssh-client"), ...sshPrograms],
  version: () => firstLine("ssh", "-V"),
  prepare: prepareSsh,
  plan: ({ data, into, address, folder }) => ({
    sender: sshServer(folder),
    staysUp: true,
    ready: listening(sshPort),
    receiver: () => ({
      argv: [
        ...["scp", "-q", "-r", "-p", "-P", `${sshPort}`, ...sshOptions(folder)],
        ...[`${user}@${address}:${data.path}`, into],
      ],
    }),
  }),
};
