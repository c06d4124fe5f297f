/** Two hosts on this machine and the wire between them, by netlab; for the benchmark and the tests. */

import { execFileSync } from "node:child_process";
import { join } from "node:path";

/** A host: `a` sends, `b` receives. */
export type Host = "a" | "b";

/** A net of its own. Nothing else may run on it: processes on its hosts are ended with it. */
export class Lab {
  /** At most 9 characters, as netlab asks; the process id makes it this process's own. */
  readonly name = `q${process.pid.toString(36)}${(count++ % 36).toString(36)}`;
  #isUp = false;

  /** Makes the hosts and the wire, given in netlab's words: `up(["wan", "rate=100", "delay=20"])`. */
  up(wire: readonly string[]): void {
    // Before the call: one that fails half-way has made hosts, too.
    this.#isUp = true;
    netlab("up", this.name, ...wire);
    this.#awaitCards();
  }

  /** Ends every process on the hosts and takes the net away; twice is fine. */
  down(): void {
    if (!this.#isUp) return;
    this.#isUp = false;
    this.#kill();
    netlab("down", this.name);
  }

  /** The words before a command that run it on a host. */
  on(host: Host): string[] {
    return ["ip", "netns", "exec", `${this.name}-${host}`];
  }

  /** A host's IPv4 address. */
  address(host: Host): string {
    return netlab("addr", `${this.name}-${host}`).trim();
  }

  /** Drops every packet from now on; only on a wan. */
  cut(): void {
    netlab("cut", this.name);
  }

  /** Carries them again. */
  mend(): void {
    netlab("mend", this.name);
  }

  /** Takes a host's address away and gives it another one; not on a wan. */
  move(host: Host): void {
    netlab("move", `${this.name}-${host}`);
  }

  /** Makes it a cable between two hosts that know no other: no default route. */
  removeRoutes(): void {
    for (const host of ["a", "b"] as const) this.output(host, "ip", "route", "del", "default");
  }

  /** Joins the hosts by a second card each, with addresses of their own. */
  addCards(): void {
    const ends = [`${this.name}-a`, `${this.name}-b`] as const;
    const wire = ["type", "veth", "peer", "name", secondCard, "netns", ends[1]];
    execFileSync("ip", ["link", "add", secondCard, "netns", ends[0], ...wire]);
    for (const [host, address] of [
      ["a", "10.92.0.1/24"],
      ["b", "10.92.0.2/24"],
    ] as const) {
      this.output(host, "ip", "addr", "add", address, "dev", secondCard);
      this.output(host, "ip", "link", "set", secondCard, "up");
    }
    const limit = ["tbf", "rate", "1gbit", "burst", "256k", "latency", "20ms"];
    this.output("a", "tc", "qdisc", "add", "dev", secondCard, "root", ...limit);
    this.#awaitCards();
  }

  /** The card of a host that has an address, or by which it reaches it. */
  cardTowards(host: Host, address: string): string {
    const isSecond = address.startsWith("10.92.0.");
    const [first = ""] = this.output(host, "ip", "-4", "-o", "addr", "show", "to", "10.91.0.0/16")
      .trim()
      .split(/\s+/)
      .slice(1);
    return isSecond ? secondCard : first;
  }

  /** Takes a card of a host down. */
  takeCardDown(host: Host, card: string): void {
    this.output(host, "ip", "link", "set", card, "down");
  }

  /** Runs a short command on a host and returns its output. */
  output(host: Host, ...command: string[]): string {
    const [program = "", ...args] = [...this.on(host), ...command];
    return execFileSync(program, args, { encoding: "utf8" });
  }

  /** Changes a network setting of both hosts, for example `ipv4/tcp_no_metrics_save`. */
  set(setting: string, value: string): void {
    for (const host of ["a", "b"] as const) {
      this.output(host, "sh", "-c", 'echo "$1" > "/proc/sys/net/$2"', "sh", value, setting);
    }
  }

  /**
   * Makes TCP use another congestion control on both hosts.
   *
   * By their routes: the kernel lets a namespace choose only what the whole machine allows.
   */
  setTcpCongestionControl(name: string): void {
    for (const host of ["a", "b"] as const) {
      for (const route of this.output(host, "ip", "-4", "route", "show").trim().split("\n")) {
        this.output(host, "ip", "route", "replace", ...route.trim().split(/\s+/), "congctl", name);
      }
    }
  }

  /** Bytes that a host has put on the wire since the net is up, headers included. */
  bytesSent(host: Host): number {
    const lines = this.output(host, "cat", "/proc/net/dev").split("\n").slice(2);
    const counters = lines.map((line) => line.trim().split(/[:\s]+/));
    // Name, eight columns of receive, then bytes sent.
    return counters
      .filter(([name]) => name && name !== "lo")
      .reduce((sum, fields) => sum + Number(fields[9]), 0);
  }

  /** Whether something on a host listens on a TCP port. */
  isListening(host: Host, port: number): boolean {
    const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
    const listening = "0A";
    return this.output(host, "cat", "/proc/net/tcp", "/proc/net/tcp6")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .some(([, local, , state]) => local?.endsWith(suffix) && state === listening);
  }

  /** Ends every process on the hosts at once. */
  killProcesses(): void {
    if (this.#isUp) this.#kill();
  }

  /** Up to a second after both ends of a wire are up, the kernel still calls its cards unplugged. */
  #awaitCards(): void {
    const wait = "while ip -o link show up | grep -q NO-CARRIER; do sleep 0.02; done";
    for (const host of ["a", "b"] as const) this.output(host, "timeout", "10", "sh", "-c", wait);
  }

  #kill(): void {
    for (const host of ["a", "b"]) {
      for (const pid of processesOn(`${this.name}-${host}`)) {
        try {
          process.kill(pid, "SIGKILL");
        } catch {
          // It has ended by itself.
        }
      }
    }
  }
}

let count = 0;
const secondCard = "eth1";

/** The program that makes the net: `NETLAB`, or the copy beside this file. */
export const netlabPath = process.env["NETLAB"] || join(import.meta.dirname, "netlab", "netlab");

function netlab(...args: string[]): string {
  // In a session of its own: a Ctrl-C at the terminal must not end a netlab that takes a net down.
  return execFileSync("setsid", ["--wait", netlabPath, ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function processesOn(namespace: string): number[] {
  try {
    const text = execFileSync("ip", ["netns", "pids", namespace], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return text.split("\n").filter(Boolean).map(Number);
  } catch {
    // There is no such host: `up` failed before it was made.
    return [];
  }
}
