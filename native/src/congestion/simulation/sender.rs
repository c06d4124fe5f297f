//! What a simulated flow asks of a congestion controller.

use std::time::Instant;

use crate::congestion::model::Model;

/// A congestion controller, as the engine uses one.
pub trait Sender {
    /// Notes a packet that was sent.
    fn sent(&mut self, now: Instant, bytes: u64, number: u64);
    /// Notes a packet that arrived.
    fn acknowledged(&mut self, now: Instant, sent_at: Instant, bytes: u64, number: u64);
    /// Notes a packet that did not arrive.
    fn lost(&mut self, now: Instant, sent_at: Instant, bytes: u64, number: u64);
    /// Ends a group of acknowledgements.
    fn acknowledgements_done(&mut self, now: Instant, in_flight: u64, is_app_limited: bool);
    /// Says that for several round trips nothing has arrived.
    fn nothing_arrives(&mut self);
    /// Bytes that may be in flight.
    fn window(&self) -> u64;
    /// Bytes a second to send with; none for a little more than the window in a round trip.
    fn pacing_rate(&self) -> Option<u64>;
}

impl Sender for Model {
    fn sent(&mut self, now: Instant, bytes: u64, number: u64) {
        Self::sent(self, now, bytes, number);
    }

    fn acknowledged(&mut self, now: Instant, sent_at: Instant, bytes: u64, number: u64) {
        Self::acknowledged(self, now, sent_at, bytes, number);
    }

    fn lost(&mut self, _now: Instant, _sent_at: Instant, bytes: u64, number: u64) {
        Self::lost(self, bytes, number);
    }

    fn acknowledgements_done(&mut self, now: Instant, in_flight: u64, is_app_limited: bool) {
        Self::acknowledgements_done(self, now, in_flight, is_app_limited);
    }

    fn nothing_arrives(&mut self) {
        Self::nothing_arrives(self);
    }

    fn window(&self) -> u64 {
        Self::window(self)
    }

    fn pacing_rate(&self) -> Option<u64> {
        Self::pacing_rate(self)
    }
}
