//! The shortest round trip of a path.

use std::time::{Duration, Instant};

/// How long a shortest round trip is believed; [paper].
const RTT_LIFETIME: Duration = Duration::from_secs(10);
/// What a round trip is taken for, at least: on a local wire the two hosts' scheduling takes longer than
/// the way. Measured on `ethernet`: without it the window ran dry and a quarter of the speed was lost.
pub const SHORTEST_ROUND_TRIP: Duration = Duration::from_millis(2);

/// A round trip, and when it was measured.
#[derive(Clone, Copy, Debug)]
pub struct ShortestRtt {
    /// As measured.
    pub value: Duration,
    /// When.
    pub since: Instant,
}

impl ShortestRtt {
    /// Tells whether the path may have changed since.
    pub fn is_old(&self, now: Instant) -> bool {
        now > self.since + RTT_LIFETIME
    }

    /// Returns what it is taken for.
    pub fn taken_for(&self) -> Duration {
        self.value.max(SHORTEST_ROUND_TRIP)
    }

    /// Returns the same in seconds.
    pub fn seconds(&self) -> f64 {
        self.taken_for().as_secs_f64()
    }
}
