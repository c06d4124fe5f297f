/** What `--limit` may be: a rate, or a schedule over the day. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidArgumentError } from "commander";
import { limit } from "../src/cli/limit.ts";

const rates = [
  { text: "10MB/s", bytes: 10_000_000, why: "decimal megabytes" },
  { text: "10M", bytes: 10_000_000, why: "bytes unless bits are said" },
  { text: "500k", bytes: 500_000, why: "as curl has it" },
  { text: "500K", bytes: 500_000, why: "in any case" },
  { text: "10 MB/s", bytes: 10_000_000, why: "with a space" },
  { text: "10MBps", bytes: 10_000_000, why: "a large B is a byte" },
  { text: "80Mbit/s", bytes: 10_000_000, why: "bits that are said" },
  { text: "80mbit", bytes: 10_000_000, why: "bits in small letters" },
  { text: "80 Mbits/s", bytes: 10_000_000, why: "many bits" },
  { text: "80Mbps", bytes: 10_000_000, why: "what providers write is bits" },
  { text: "1.5 MiB/s", bytes: 1_572_864, why: "binary megabytes, in part" },
  { text: "1GiB/s", bytes: 1_073_741_824, why: "binary gigabytes" },
  { text: "1G", bytes: 1_000_000_000, why: "gigabytes" },
  { text: "123456", bytes: 123_456, why: "without any unit" },
  { text: "8bit/s", bytes: 1, why: "the least" },
  { text: "none", bytes: null, why: "no limit" },
];

for (const { text, bytes, why } of rates) {
  test(`--limit ${text} is ${bytes} bytes a second: ${why}`, () => {
    assert.equal(limit(text), bytes);
  });
}

const noRates = [
  { text: "", why: "nothing" },
  { text: "fast", why: "no number" },
  { text: "0", why: "nothing would move" },
  { text: "1bit/s", why: "less than a byte a second" },
  { text: "-5M", why: "below nothing" },
  { text: "10Mb/s", why: "bits or bytes" },
  { text: "10mb", why: "bits or bytes" },
  { text: "10MB/h", why: "an hour" },
  { text: "1e9", why: "no unit of people" },
  { text: "99999999T", why: "more than any wire" },
  { text: "Infinity", why: "no number of people" },
];

for (const { text, why } of noRates) {
  test(`--limit "${text}" is a usage error: ${why}`, () => {
    assert.throws(() => limit(text), InvalidArgumentError);
  });
}

const schedules = [
  {
    text: "2MB/s@08:00-18:00,20MB/s",
    windows: [{ rate: 2e6, fromMinute: 480, toMinute: 1080 }],
    otherwise: 20e6,
  },
  {
    text: "1M@22:00-6:30",
    windows: [{ rate: 1e6, fromMinute: 1320, toMinute: 390 }],
    otherwise: null,
  },
  {
    text: "none@12:00-13:00, 1M@8:00-24:00, 5M",
    windows: [
      { rate: null, fromMinute: 720, toMinute: 780 },
      { rate: 1e6, fromMinute: 480, toMinute: 1440 },
    ],
    otherwise: 5e6,
  },
  {
    text: "1M@18:00-00:00",
    windows: [{ rate: 1e6, fromMinute: 1080, toMinute: 1440 }],
    otherwise: null,
  },
];

for (const { text, windows, otherwise } of schedules) {
  test(`--limit "${text}" is a schedule`, () => {
    assert.deepEqual(limit(text), { windows, otherwise });
  });
}

const noSchedules = [
  { text: "1M@", why: "no hours" },
  { text: "1M@08:00", why: "one time" },
  { text: "1M@8-18", why: "no minutes" },
  { text: "1M@25:00-26:00", why: "no time of the day" },
  { text: "1M@24:00-06:00", why: "nothing begins at 24:00" },
  { text: "1M@08:60-09:00", why: "no minute" },
  { text: "1M@08:00-08:00", why: "all day or nothing" },
  { text: "1M,2M", why: "the second never holds" },
  { text: "1M,2M@08:00-18:00", why: "the second never holds" },
  { text: "@08:00-18:00", why: "no rate" },
];

for (const { text, why } of noSchedules) {
  test(`--limit "${text}" is a usage error: ${why}`, () => {
    assert.throws(() => limit(text), InvalidArgumentError);
  });
}
