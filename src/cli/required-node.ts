/** Ends with one sentence under a Node that is too old; imported first, as the rest would not even load. */

/** That of `engines` in package.json. */
const oldest = 24;

if (Number.parseInt(process.versions.node, 10) < oldest) {
  process.stderr.write(
    `quiver: Node ${process.versions.node} is too old: install Node ${oldest} or newer (https://nodejs.org)\n`,
  );
  process.exit(2);
}
