//! What the controller is about, and how fast it then sends.

use std::time::Instant;

/// Doubles the rate each round: 4 ln 2, [draft] 2.4.
const STARTUP_GAIN: f64 = 2.77;
/// Empties in one round what the start put into the queue, [paper].
const DRAIN_GAIN: f64 = 1.0 / STARTUP_GAIN;
/// One phase a round trip: ask for more, give way, then cruise; [paper].
const CYCLE: [f64; 8] = [1.25, 0.75, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0];
/// The first of the phases that cruising may begin with: all but the one before.
const FIRST_PHASE: usize = 2;
/// Makes neighbouring numbers differ in all bits: 2^64 by the golden ratio (Knuth, TAOCP 3, 6.4).
const SCATTER: u64 = 0x9e37_79b9_7f4a_7c15;

/// What the controller is about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum State {
    /// Doubling the rate until the path is full.
    Startup,
    /// Emptying the queue that the start filled.
    Drain,
    /// Sending at the path's rate; `phase` of the cycle began at `since`.
    Cruise { phase: usize, since: Instant },
    /// Sending little; `until` is set once little is in flight.
    ProbeRtt { until: Option<Instant> },
}

/// What a phase of the cycle has seen.
#[derive(Clone, Copy, Debug)]
pub struct Phase {
    /// Whether a round trip has passed.
    pub is_long_enough: bool,
    /// Whether anything was lost.
    pub has_lost: bool,
    /// What is in flight, of what the path holds without a queue.
    pub filling: f64,
}

impl State {
    /// Tells whether the next phase may begin.
    ///
    /// Asking for more goes on until more is under way or something is lost, since a rate takes a round
    /// trip to show; giving way ends as soon as no queue is left.
    pub fn is_phase_over(self, phase: &Phase) -> bool {
        match self.gain() {
            gain if gain > 1.0 => phase.is_long_enough && (phase.has_lost || phase.filling >= gain),
            gain if gain < 1.0 => phase.is_long_enough || phase.filling <= 1.0,
            _ => phase.is_long_enough,
        }
    }

    /// Begins to cruise, in any phase but the one that gives way; which, is up to the bytes `delivered` so far.
    ///
    /// [paper] lets chance choose: two flows in step ask for more at the same time, and neither gets any.
    pub fn cruise(now: Instant, delivered: u64) -> Self {
        let others = CYCLE.len() - 1;
        let chosen = (delivered.wrapping_mul(SCATTER) >> 32) as usize % others;
        Self::Cruise {
            phase: (FIRST_PHASE + chosen) % CYCLE.len(),
            since: now,
        }
    }

    /// Goes on to the next phase of the cycle.
    pub fn next_phase(phase: usize, now: Instant) -> Self {
        Self::Cruise {
            phase: (phase + 1) % CYCLE.len(),
            since: now,
        }
    }

    /// Tells whether less is asked for than the path has, with no queue to empty but the cycle's own.
    pub fn gives_way(self) -> bool {
        matches!(self, Self::Cruise { phase, .. } if CYCLE[phase] < 1.0)
    }

    /// What to send, of the path's rate.
    pub fn gain(self) -> f64 {
        match self {
            Self::Startup => STARTUP_GAIN,
            Self::Drain => DRAIN_GAIN,
            Self::Cruise { phase, .. } => CYCLE[phase],
            Self::ProbeRtt { .. } => 1.0,
        }
    }
}
