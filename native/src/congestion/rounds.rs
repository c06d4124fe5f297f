//! Round trips, counted by what is delivered, and what each of them lost.

use std::time::Instant;

use super::{losses::Losses, shortest_rtt::SHORTEST_ROUND_TRIP};

/// The rounds so far.
#[derive(Clone, Copy, Debug)]
pub struct Rounds {
    /// How many.
    pub number: u64,
    began: Instant,
    losses: Losses,
}

impl Rounds {
    /// Starts the first one.
    pub fn new(now: Instant) -> Self {
        Self {
            number: 0,
            began: now,
            losses: Losses::default(),
        }
    }

    /// Notes bytes that did not arrive.
    pub fn lost(&mut self, bytes: u64) {
        self.losses.note(bytes);
    }

    /// Tells whether a round is long enough to end now.
    pub fn may_end(&self, now: Instant) -> bool {
        now >= self.began + SHORTEST_ROUND_TRIP
    }

    /// Begins the next one; tells whether the last one lost more than a link does by itself.
    pub fn begin(&mut self, now: Instant, delivered: u64, packet_bytes: u64) -> bool {
        let are_too_many = self.losses.are_too_many(delivered, packet_bytes);
        *self = Self {
            number: self.number + 1,
            began: now,
            losses: Losses::since(delivered),
        };
        are_too_many
    }
}
