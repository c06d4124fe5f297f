//! What a link loses by itself, seen while less is asked of it than it carries.
//!
//! A policer, which drops what is above its rate, loses nothing then; counted at any other time its losses would
//! seem to be the link's, be added to the rate, and so be lost again.

use std::ops::Range;

/// What a cycle counts beside the next one: the last four are most of it.
const KEPT: f64 = 0.75;
/// More than this is no link's own.
const MOST: f64 = 0.1;

/// The share that is lost by chance.
#[derive(Clone, Debug, Default)]
pub struct Chance {
    /// Packet numbers of the last phase that was counted.
    numbers: Range<u64>,
    /// Bytes of such phases, an older one's counting less.
    sent: f64,
    lost: f64,
}

impl Chance {
    /// Notes that less is asked for from now on.
    pub fn begin(&mut self) {
        self.numbers = 0..0;
        self.sent *= KEPT;
        self.lost *= KEPT;
    }

    /// Notes a packet that was sent while less is asked for.
    pub fn sent(&mut self, bytes: u64, number: u64) {
        if self.numbers.is_empty() {
            self.numbers.start = number;
        }
        self.numbers.end = number + 1;
        self.sent += bytes as f64;
    }

    /// Notes a packet that did not arrive.
    pub fn lost(&mut self, bytes: u64, number: u64) {
        if self.numbers.contains(&number) {
            self.lost += bytes as f64;
        }
    }

    /// What is lost of what is sent.
    pub fn share(&self) -> f64 {
        (self.lost / self.sent.max(1.0)).min(MOST)
    }
}
