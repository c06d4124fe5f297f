/** Every system's rules hold for every name; they are pure, so that all are tried on any system. */

import { test } from "node:test";
import { bigList, generatedNames, hostileNames, twins } from "./name-corpus.ts";
import { assertApart, assertLawful, platforms } from "./name-laws.ts";

const generated = generatedNames(6000, 20_260_801);

const lists = [
  { what: "names of the catalogue", names: hostileNames },
  { what: "strings of the Big List of Naughty Strings", names: bigList() },
  { what: "generated names", names: generated },
];

for (const platform of platforms) {
  for (const { what, names } of lists) {
    test(`${platform}: ${names.length} ${what} land lawfully or are refused`, () => {
      for (const name of names) assertLawful(name, platform);
    });

    test(`${platform}: ${Math.min(names.length, 800)} ${what} in one folder with their twins land apart, twice the same`, () => {
      assertApart(twins(names.slice(0, 800)), platform);
    });
  }
}
