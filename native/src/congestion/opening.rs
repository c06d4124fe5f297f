//! What may be in flight before any data has shown what the path takes.

use super::shortest_rtt::ShortestRtt;

/// As many packets as QUIC stacks in wide use begin with; RFC 9002 says ten.
const INITIAL_PACKETS: u64 = 32;
/// On a long path the first round trip brings that many bytes a second: 32 packets in 300 ms would be
/// 155 kB/s, two round trips behind what any line that is used for files takes.
const INITIAL_RATE: f64 = 1e6;

/// Returns the first window in bytes; longer paths have a larger one, once the greeting has shown how long.
pub fn window(packet_bytes: u64, rtt: Option<ShortestRtt>) -> u64 {
    let by_rate = rtt.map_or(0.0, |rtt| INITIAL_RATE * rtt.seconds());
    (by_rate as u64).max(INITIAL_PACKETS * packet_bytes)
}

/// Whether the first data is still to come.
#[derive(Clone, Copy, Debug, Default)]
pub struct Opening {
    is_over: bool,
}

impl Opening {
    /// Says that it is over, as nothing arrives.
    pub fn end(&mut self) {
        self.is_over = true;
    }

    /// Tells whether less was delivered than a greeting may take.
    pub fn goes_on(&mut self, delivered: u64, packet_bytes: u64) -> bool {
        self.is_over |= delivered >= INITIAL_PACKETS * packet_bytes;
        !self.is_over
    }
}
