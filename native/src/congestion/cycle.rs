//! The rounds of cruising: when one is over, and what they see.

use std::time::Instant;

use super::{
    chance::Chance,
    shortest_rtt::ShortestRtt,
    state::{Phase, State},
};

/// With more than this of the path's content in flight nothing is added for what the link loses. Simulated, 5 % of
/// loss: without it two thirds of a round trip of queue at 100 Mbit/s and 20 ms, with 1.1 less for one of two of ours.
const FILLED: f64 = 1.06;

/// What the phases of the cycle have seen.
#[derive(Clone, Debug, Default)]
pub struct Cycle {
    has_lost: bool,
    chance: Chance,
}

impl Cycle {
    /// Notes a packet that was sent.
    pub fn sent(&mut self, state: State, bytes: u64, number: u64) {
        if state.gives_way() {
            self.chance.sent(bytes, number);
        }
    }

    /// Notes a packet that did not arrive.
    pub fn lost(&mut self, bytes: u64, number: u64) {
        self.chance.lost(bytes, number);
        self.has_lost = true;
    }

    /// What to send, of the path's rate: what arrives, and what the link loses on the way, is what it carries.
    pub fn gain(&self, state: State, filling: f64) -> f64 {
        let lost = if filling > FILLED {
            0.0
        } else {
            self.chance.share()
        };
        state.gain() / (1.0 - lost)
    }

    /// Begins the next phase when this one is over. `filling` is what is in flight, of what the path holds without a queue.
    pub fn turn(
        &mut self,
        now: Instant,
        state: &mut State,
        rtt: Option<ShortestRtt>,
        filling: f64,
    ) {
        let State::Cruise { phase, since } = *state else {
            return;
        };
        let passed = Phase {
            is_long_enough: rtt.is_some_and(|rtt| now > since + rtt.taken_for()),
            has_lost: self.has_lost,
            filling,
        };
        if !state.is_phase_over(&passed) {
            return;
        }
        *state = State::next_phase(phase, now);
        self.has_lost = false;
        if state.gives_way() {
            self.chance.begin();
        }
    }
}
