//! A TCP CUBIC to share a link with (RFC 9438), with the early end of slow start that Linux has (RFC 9406).

use std::time::{Duration, Instant};

use super::{flow::PACKET_BYTES, sender::Sender};

/// RFC 9438, 4.6 and 5.
const BETA: f64 = 0.7;
const C: f64 = 0.4;
/// RFC 6928.
const INITIAL_PACKETS: f64 = 10.0;

/// The state of one flow; windows in packets.
#[derive(Debug)]
pub struct Cubic {
    window: f64,
    threshold: f64,
    most: f64,
    /// When the current growth began, and the window then.
    epoch: Option<(Instant, f64)>,
    /// What Reno would have.
    reno: f64,
    recovering_since: Option<Instant>,
    shortest_rtt: Duration,
}

impl Cubic {
    /// Starts in slow start.
    pub fn new() -> Self {
        Self {
            window: INITIAL_PACKETS,
            threshold: f64::INFINITY,
            most: 0.0,
            epoch: None,
            reno: 0.0,
            recovering_since: None,
            shortest_rtt: Duration::MAX,
        }
    }

    fn avoid_congestion(&mut self, now: Instant, rtt: Duration) {
        let (began, from) = *self.epoch.get_or_insert_with(|| {
            self.reno = self.window;
            (now, self.window)
        });
        let most = self.most.max(from);
        let k = ((most - from) / C).cbrt();
        let at = (now - began + rtt).as_secs_f64();
        let target = (C * (at - k).powi(3) + most).clamp(self.window, self.window * 1.5);
        let additive = 3.0 * (1.0 - BETA) / (1.0 + BETA);
        self.reno += additive / self.window;
        self.window += (target - self.window) / self.window;
        self.window = self.window.max(self.reno);
    }
}

impl Sender for Cubic {
    fn sent(&mut self, _now: Instant, _bytes: u64, _number: u64) {}

    fn acknowledged(&mut self, now: Instant, sent_at: Instant, _bytes: u64, _number: u64) {
        let rtt = now - sent_at;
        self.shortest_rtt = self.shortest_rtt.min(rtt);
        if self.recovering_since.is_some_and(|since| sent_at <= since) {
            return;
        }
        if self.window < self.threshold {
            self.window += 1.0;
            let margin = self.shortest_rtt / 8;
            let margin = margin.clamp(Duration::from_millis(4), Duration::from_millis(16));
            if rtt > self.shortest_rtt + margin {
                self.threshold = self.window;
            }
        } else {
            self.avoid_congestion(now, rtt);
        }
    }

    fn lost(&mut self, now: Instant, sent_at: Instant, _bytes: u64, _number: u64) {
        if self.recovering_since.is_some_and(|since| sent_at <= since) {
            return;
        }
        // Fast convergence, RFC 9438, 4.7.
        self.most = if self.window < self.most {
            self.window * (1.0 + BETA) / 2.0
        } else {
            self.window
        };
        self.window = (self.window * BETA).max(2.0);
        self.threshold = self.window;
        self.epoch = None;
        self.recovering_since = Some(now);
    }

    fn acknowledgements_done(&mut self, _now: Instant, _in_flight: u64, _is_app_limited: bool) {}

    fn nothing_arrives(&mut self) {
        self.window = 2.0;
        self.epoch = None;
    }

    fn window(&self) -> u64 {
        (self.window * PACKET_BYTES as f64) as u64
    }

    fn pacing_rate(&self) -> Option<u64> {
        Some(u64::from(u32::MAX))
    }
}
