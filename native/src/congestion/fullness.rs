//! When the start of a path has filled it.

use std::time::{Duration, Instant};

/// A start that gains less than a quarter for three rounds has filled the path; [paper].
const FULL_GROWTH: f64 = 1.25;
const FULL_ROUNDS: u32 = 3;
/// It has, too, when for a whole round trip there was a queue of half a one while less than that was gained: three rounds
/// more, each longer by the queue, overflow it. Simulated with 1.25: a flow that comes late to a CUBIC gets less.
const QUEUED: f64 = 1.5;

/// Tells when the start no longer gains.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fullness {
    rate: u64,
    rounds: u32,
    is_full: bool,
    /// Whether the path is filled at once, as its rate is known.
    is_soon: bool,
    /// Since when there is a queue, and the rate then.
    queued: Option<(Instant, u64)>,
}

impl Fullness {
    /// Takes the path's rate after a round.
    pub fn take(&mut self, rate: u64) {
        if rate as f64 >= self.rate as f64 * FULL_GROWTH {
            self.rate = rate;
            self.rounds = 0;
        } else {
            self.rounds += 1;
            self.is_full |= self.is_soon || self.rounds >= FULL_ROUNDS;
        }
    }

    /// Takes a round trip beside the path's shortest one, and its rate by then.
    pub fn take_rtt(&mut self, now: Instant, rtt: Duration, shortest: Duration, rate: u64) {
        if self.is_full || rtt < shortest.mul_f64(QUEUED) {
            self.queued = None;
            return;
        }
        let (since, before) = *self.queued.get_or_insert((now, rate));
        if now > since + shortest {
            self.is_full |= (rate as f64) < before as f64 * FULL_GROWTH;
            self.queued = Some((now, rate));
        }
    }

    /// Expects the path to be full at the first round that does not gain: more would only fill the queue.
    pub fn expect_soon(&mut self) {
        self.is_soon = true;
    }

    /// Tells whether the path is full.
    pub fn is_full(&self) -> bool {
        self.is_full
    }

    /// Says that the path is full, whatever its rate.
    pub fn set_full(&mut self) {
        self.is_full = true;
    }
}
