/** magic-wormhole with a mailbox server of its own; the bytes go from host to host, by no relay. */

import { basename, join } from "node:path";
import { firstLine, program } from "./program.ts";
import type { Tool } from "./tool.ts";

export const wormhole: Tool = {
  name: "wormhole",
  title: "magic-wormhole, own mailbox server",
  carries: "both",
  encrypts: true,
  needs: [
    program("wormhole", "pip install magic-wormhole"),
    program("twist", "pip install magic-wormhole-mailbox-server"),
  ],
  version: () => firstLine("wormhole", "--version"),
  plan({ data, into, address }) {
    const env = {
      WORMHOLE_RELAY_URL: `ws://${address}:${port}/v1`,
      // Nothing is there: without it, both would look for the public relay's name.
      WORMHOLE_TRANSIT_HELPER: `tcp:${address}:${port + 1}`,
    };
    return {
      sender: { argv: ["sh", "-c", mailboxAndSender, "sh", address, code, data.path], env },
      ready: (output) => (output.includes(`wormhole receive ${code}`) ? "" : undefined),
      receiver: () => ({
        argv: [
          ...["wormhole", "receive", "--accept-file", "--hide-progress"],
          ...["--output-file", join(into, basename(data.path)), code],
        ],
        env,
      }),
    };
  },
};

const port = 4000;
const code = "1-quiver-bench";
/** A client gives up at once where no server listens: 0FA0 is the port, 0A the state "listening". */
const mailboxAndSender = `
twist wormhole-mailbox --port="tcp:${port}:interface=$1" --channel-db=:memory: > /dev/null 2>&1 &
until grep -q ":0FA0 .* 0A " /proc/net/tcp; do sleep 0.1; done
wormhole send --hide-progress --no-qr --code "$2" "$3" 2>&1
status=$?
kill $!
exit $status`;
