//! What the path can carry: its rate and its shortest round trip.

use std::time::{Duration, Instant};

use super::{
    delivery::Sample,
    recent_max::RecentMax,
    shortest_rtt::{SHORTEST_ROUND_TRIP, ShortestRtt},
};

/// The estimates of both.
#[derive(Clone, Debug, Default)]
pub struct Capacity {
    rates: RecentMax,
    rtt: Option<ShortestRtt>,
}

impl Capacity {
    /// Bytes a second; 0 while unknown.
    pub fn rate(&self) -> u64 {
        self.rates.value()
    }

    /// The shortest round trip of late, once known.
    pub fn rtt(&self) -> Option<ShortestRtt> {
        self.rtt
    }

    /// Bytes that the path holds without a queue, once both are known.
    pub fn content(&self) -> Option<f64> {
        let rate = Some(self.rate()).filter(|rate| *rate > 0)?;
        Some(rate as f64 * self.rtt?.seconds())
    }

    /// Tells whether the two hosts' scheduling takes longer than the way.
    pub fn is_local(&self) -> bool {
        self.rtt.is_some_and(|rtt| rtt.value < SHORTEST_ROUND_TRIP)
    }

    /// Takes the rate of a sample; one that the application held down says nothing, unless it is higher
    /// than all others.
    pub fn take_rate(&mut self, round: u64, sample: &Sample) {
        let Some(rate) = sample.rate else { return };
        if !sample.is_app_limited || rate > self.rate() {
            self.rates.add(round, rate);
        }
    }

    /// Takes a rate that is known in another way.
    pub fn claim_rate(&mut self, round: u64, rate: u64) {
        self.rates.add(round, rate);
    }

    /// Believes the latest round alone.
    pub fn keep_latest_rate(&mut self) {
        self.rates.keep_latest();
    }

    /// Takes a round trip; tells whether the shortest one was too old to be believed.
    pub fn take_rtt(&mut self, now: Instant, value: Duration) -> bool {
        let is_old = self.rtt.is_some_and(|rtt| rtt.is_old(now));
        if is_old || self.rtt.is_none_or(|rtt| value <= rtt.value) {
            self.rtt = Some(ShortestRtt { value, since: now });
        }
        is_old
    }
}
