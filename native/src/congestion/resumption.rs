//! Starting near the last rate of a path that is known: draft-ietf-tsvwg-careful-resume ([resume]).

use std::time::Duration;

use super::{losses::Losses, shortest_rtt::ShortestRtt};

/// A round trip below half, or above ten times, the known one is another path's; [resume], "confirming the path".
const SHORTER: f64 = 0.5;
const LONGER: f64 = 10.0;
/// What is dared at once, of what the path held; [resume], "no more than half".
const JUMP: f64 = 0.5;

/// What an earlier connection knew of the path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KnownPath {
    /// Its shortest round trip.
    pub rtt: Duration,
    /// Its rate in bytes a second.
    pub rate: u64,
}

/// Where a connection stands with what it knows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Resumption {
    /// Nothing is known, or all is over: the ordinary start.
    #[default]
    None,
    /// The round trip is still to be compared; the draft's reconnaissance.
    Waiting(KnownPath),
    /// More was sent than this connection has seen arrive; unvalidated, then validating.
    Dared { window: u64, losses: Losses },
}

impl Resumption {
    /// Compares the round trip, and dares if it is alike; tells whether it does.
    pub fn compare(&mut self, rtt: Option<ShortestRtt>, delivered: u64) -> bool {
        let (Self::Waiting(known), Some(rtt)) = (*self, rtt) else {
            return false;
        };
        let is_alike =
            rtt.value >= known.rtt.mul_f64(SHORTER) && rtt.value <= known.rtt.mul_f64(LONGER);
        *self = if is_alike {
            Self::Dared {
                // The shorter of the two, so that a longer path does not take more.
                window: (known.rate as f64 * known.rtt.min(rtt.value).as_secs_f64() * JUMP) as u64,
                losses: Losses::since(delivered),
            }
        } else {
            Self::None
        };
        is_alike
    }

    /// Notes bytes that did not arrive.
    pub fn lost(&mut self, bytes: u64) {
        if let Self::Dared { losses, .. } = self {
            losses.note(bytes);
        }
    }

    /// Looks at what became of what was dared; tells whether to retreat.
    ///
    /// The draft retreats at any loss; here a link may lose by chance.
    pub fn judge(&mut self, delivered: u64, packet_bytes: u64) -> bool {
        let Self::Dared { window, losses } = *self else {
            return false;
        };
        let are_too_many = losses.are_too_many(delivered, packet_bytes);
        if are_too_many || losses.settled(delivered) >= window {
            *self = Self::None;
        }
        are_too_many
    }

    /// Bytes that may be in flight at once because of what is known; 0 without.
    pub fn window(&self) -> u64 {
        match self {
            Self::Dared { window, .. } => *window,
            _ => 0,
        }
    }
}
