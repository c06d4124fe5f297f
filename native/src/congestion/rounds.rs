//! Round trips, counted by what is delivered, and what each of them lost.

use std::time::Instant;

use super::shortest_rtt::SHORTEST_ROUND_TRIP;

/// Loss below this is the link's, above it a queue's or a policer's. Measured: 5 % by chance cost no more.
const LOSS_TOLERATED: f64 = 0.15;
/// What a round must lose before its share says anything; [draft] 2.4 says 6. At 5 % random loss the
/// first 32 packets lose eight in one start of 7,000, five in one of 50.
const LOSSES_TO_JUDGE: u64 = 8;

/// The rounds so far.
#[derive(Clone, Copy, Debug)]
pub struct Rounds {
    /// How many.
    pub number: u64,
    began: Instant,
    delivered_before: u64,
    lost: u64,
}

impl Rounds {
    /// Starts the first one.
    pub fn new(now: Instant) -> Self {
        Self {
            number: 0,
            began: now,
            delivered_before: 0,
            lost: 0,
        }
    }

    /// Notes bytes that did not arrive.
    pub fn lost(&mut self, bytes: u64) {
        self.lost += bytes;
    }

    /// Tells whether a round is long enough to end now.
    pub fn may_end(&self, now: Instant) -> bool {
        now >= self.began + SHORTEST_ROUND_TRIP
    }

    /// Begins the next one; tells whether the last one lost more than a link does by itself.
    pub fn begin(&mut self, now: Instant, delivered: u64, packet_bytes: u64) -> bool {
        let total = (delivered - self.delivered_before + self.lost) as f64;
        // Of few packets chance alone can lose a sixth.
        let are_enough = self.lost >= LOSSES_TO_JUDGE * packet_bytes;
        let is_too_much = are_enough && self.lost as f64 > total * LOSS_TOLERATED;
        *self = Self {
            number: self.number + 1,
            began: now,
            delivered_before: delivered,
            lost: 0,
        };
        is_too_much
    }
}
