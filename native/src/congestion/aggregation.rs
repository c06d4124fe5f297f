//! What comes in bursts.

use std::time::Instant;

use super::{delivery::Sample, recent_max::RecentMax};

/// What acknowledgements bring at once beyond the path's rate: Wi-Fi and receivers batch them.
#[derive(Clone, Debug)]
pub struct Aggregation {
    began: Instant,
    acknowledged: u64,
    extra: RecentMax,
}

impl Aggregation {
    /// Starts with nothing acknowledged.
    pub fn new(now: Instant) -> Self {
        Self {
            began: now,
            acknowledged: 0,
            extra: RecentMax::default(),
        }
    }

    /// Bytes that lately came at once beyond the rate, at most.
    pub fn extra(&self) -> u64 {
        self.extra.value()
    }

    /// Takes a group of acknowledgements.
    pub fn take(&mut self, now: Instant, sample: &Sample, round: u64, rate: u64, window: u64) {
        let expected = |began: Instant| (rate as f64 * (now - began).as_secs_f64()) as u64;
        if self.acknowledged <= expected(self.began) {
            self.began = now;
            self.acknowledged = 0;
        }
        self.acknowledged = (self.acknowledged + sample.acknowledged).min(window);
        let extra = self.acknowledged.saturating_sub(expected(self.began));
        self.extra.add(round, extra.min(window));
    }
}
