//! What may be in flight before any data has shown what the path takes.

use super::{
    resumption::{KnownPath, Resumption},
    shortest_rtt::ShortestRtt,
};

/// As many packets as QUIC stacks in wide use begin with; RFC 9002 says ten.
const INITIAL_PACKETS: u64 = 32;
/// On a long path the first round trip brings that many bytes a second: 32 packets in 300 ms would be
/// 155 kB/s, two round trips behind what any line that is used for files takes.
const INITIAL_RATE: f64 = 1e6;

/// The time before the data, and what the data begins with.
#[derive(Clone, Copy, Debug, Default)]
pub struct Opening {
    is_over: bool,
    /// What is known of the path.
    pub resumption: Resumption,
}

impl Opening {
    /// Returns the first window in bytes: longer paths have a larger one, once the greeting has shown how
    /// long, and known ones.
    pub fn window(&self, packet_bytes: u64, rtt: Option<ShortestRtt>) -> u64 {
        unknown_window(packet_bytes, rtt).max(self.resumption.window())
    }

    /// The least to send in a second, in bytes: a question and its answer say nothing of the path's rate.
    ///
    /// What is known is not sent faster than in a round trip.
    pub fn pace(&self, gain: f64, packet_bytes: u64, rtt: ShortestRtt) -> f64 {
        let unknown = unknown_window(packet_bytes, Some(rtt)) as f64 * gain;
        unknown.max(self.resumption.window() as f64) / rtt.seconds()
    }

    /// Says that it is over, as nothing arrives.
    pub fn end(&mut self) {
        self.is_over = true;
        self.resumption = Resumption::None;
    }

    /// Takes what an earlier connection knew; too late when it is over.
    pub fn know(&mut self, path: KnownPath) {
        if !self.is_over {
            self.resumption = Resumption::Waiting(path);
        }
    }

    /// Tells whether less was delivered than a greeting may take.
    pub fn goes_on(&mut self, delivered: u64, packet_bytes: u64) -> bool {
        self.is_over |= delivered >= INITIAL_PACKETS * packet_bytes;
        !self.is_over
    }
}

fn unknown_window(packet_bytes: u64, rtt: Option<ShortestRtt>) -> u64 {
    let by_rate = rtt.map_or(0.0, |rtt| INITIAL_RATE * rtt.seconds());
    (by_rate as u64).max(INITIAL_PACKETS * packet_bytes)
}
