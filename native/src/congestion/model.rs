//! The model of a path and what it allows: how fast, and how much at once.

use std::time::{Duration, Instant};

use super::{
    aggregation::Aggregation,
    capacity::Capacity,
    crowd::{Crowd, Group},
    cycle::Cycle,
    delivery::{Delivery, Sample},
    fullness::Fullness,
    opening::Opening,
    resumption::KnownPath,
    rounds::Rounds,
    state::State,
};

/// [draft] 2.4. Measured: 2.77 here doubled the packets that the link's queue dropped.
const WINDOW_GAIN: f64 = 2.0;
/// Slightly below the estimate, so that a queue does not grow by its error; [draft] 2.4.
const PACING_MARGIN: f64 = 0.99;
/// How long, at least, little is sent to see the empty path's round trip; [paper].
const RTT_PROBE: Duration = Duration::from_millis(200);
/// What is kept in flight meanwhile, of the path's content; [draft] 2.14.2.
const RTT_PROBE_GAIN: f64 = 0.5;
/// Beside others the window alone says how much is sent, so that all of it is used.
const CROWD_GAIN: f64 = 1.25;
/// Keeps acknowledgements coming; [paper].
const SMALLEST_PACKETS: u64 = 4;

/// The model of one path; a copy has nothing under way.
#[derive(Clone, Debug)]
pub struct Model {
    state: State,
    delivery: Delivery,
    capacity: Capacity,
    packet_bytes: u64,
    window: u64,
    rounds: Rounds,
    fullness: Fullness,
    aggregation: Aggregation,
    crowd: Crowd,
    cycle: Cycle,
    opening: Opening,
}

impl Model {
    /// Starts with nothing known of the path.
    pub fn new(now: Instant, packet_bytes: u64) -> Self {
        Self {
            state: State::Startup,
            delivery: Delivery::new(now),
            capacity: Capacity::default(),
            packet_bytes,
            window: Opening::default().window(packet_bytes, None),
            rounds: Rounds::new(now),
            fullness: Fullness::default(),
            aggregation: Aggregation::new(now),
            crowd: Crowd::default(),
            cycle: Cycle::default(),
            opening: Opening::default(),
        }
    }

    /// The same without regard for others: BBR, version 1.
    #[cfg(test)]
    pub fn bbr(now: Instant, packet_bytes: u64) -> Self {
        let crowd = Crowd::ignored(now);
        let model = Self::new(now, packet_bytes);
        Self { crowd, ..model }
    }

    /// Bytes that may be in flight.
    pub fn window(&self) -> u64 {
        match self.state {
            State::ProbeRtt { .. } => self.window.min(self.content(RTT_PROBE_GAIN)),
            _ => self.window,
        }
        .max(self.smallest_window())
    }

    /// Bytes that may be in flight before more than the round trip is known.
    pub fn initial_window(&self) -> u64 {
        self.opening.window(self.packet_bytes, self.capacity.rtt())
    }

    /// The path's rate in bytes a second, once the start has filled it.
    pub fn proven_rate(&self) -> Option<u64> {
        Some(self.capacity.rate()).filter(|_| self.fullness.is_full())
    }

    /// The rate to send with in bytes a second, once known.
    ///
    /// None on a local wire, which the engine then paces by the window: a timer cannot do better there.
    pub fn pacing_rate(&self) -> Option<u64> {
        if self.capacity.is_local() && self.state != State::Startup {
            return None;
        }
        let gain = match self.state {
            State::Cruise { .. } if self.crowd.is_here() => CROWD_GAIN,
            State::Cruise { .. } => self.cycle.gain(self.state, self.filling()),
            state => state.gain(),
        };
        let rate = Some(self.capacity.rate()).filter(|rate| *rate > 0)? as f64 * gain;
        let least = match (self.state, self.capacity.rtt()) {
            (State::Startup, Some(rtt)) => self.opening.pace(gain, self.packet_bytes, rtt),
            _ => 0.0,
        };
        Some((rate.max(least) * PACING_MARGIN) as u64)
    }

    /// Notes what an earlier connection knew of the path; too late once data has been delivered.
    pub fn know(&mut self, path: KnownPath) {
        self.opening.know(path);
        self.open();
    }

    /// Notes a full packet's size.
    pub fn set_packet_bytes(&mut self, bytes: u64) {
        self.packet_bytes = bytes;
        self.window = self.window.max(self.smallest_window());
    }

    /// Notes a packet that was sent.
    pub fn sent(&mut self, now: Instant, bytes: u64, number: u64) {
        self.delivery.sent(now, bytes, number);
        self.cycle.sent(self.state, bytes, number);
    }

    /// Notes a packet that arrived, sent at `sent_at`.
    pub fn acknowledged(&mut self, now: Instant, sent_at: Instant, bytes: u64, number: u64) {
        self.delivery.acknowledged(now, sent_at, bytes, number);
    }

    /// Notes a packet that did not arrive.
    pub fn lost(&mut self, bytes: u64, number: u64) {
        self.delivery.lost(bytes, number);
        self.rounds.lost(bytes);
        self.opening.resumption.lost(bytes);
        self.cycle.lost(bytes, number);
        self.crowd.lost(bytes as f64 / self.packet_bytes as f64);
    }

    /// Gives up all but the smallest window: for several round trips nothing has arrived.
    pub fn nothing_arrives(&mut self) {
        self.opening.end();
        self.window = self.smallest_window();
    }

    /// Draws the conclusions from a group of acknowledgements.
    pub fn acknowledgements_done(&mut self, now: Instant, in_flight: u64, is_app_limited: bool) {
        let shortest = self.capacity.rtt().map_or(Duration::ZERO, |rtt| rtt.value);
        let Some(sample) = self.delivery.sample(in_flight, is_app_limited, shortest) else {
            return;
        };
        let begins_round = sample.begins_round && self.rounds.may_end(now);
        if begins_round {
            self.begin_round(now);
        }
        self.capacity.take_rate(self.rounds.number, &sample);
        self.aggregation.take(
            now,
            &sample,
            self.rounds.number,
            self.capacity.rate(),
            self.window,
        );
        if begins_round && !sample.is_app_limited {
            self.fullness.take(self.capacity.rate());
        }
        if let Some(rtt) = self.capacity.rtt() {
            let rate = self.capacity.rate();
            self.fullness
                .take_rtt(now, sample.rtt, rtt.taken_for(), rate);
        }
        let is_rtt_old = self.capacity.take_rtt(now, sample.rtt);
        self.open();
        self.watch_crowd(now, &sample);
        self.advance(now, is_rtt_old);
        self.grow(now, sample.acknowledged);
    }

    /// Lets as much be in flight as the opening allows, and gives up what it allowed in vain.
    fn open(&mut self) {
        let delivered = self.delivery.delivered();
        if self.opening.goes_on(delivered, self.packet_bytes) {
            let resumption = &mut self.opening.resumption;
            if resumption.compare(self.capacity.rtt(), delivered) {
                self.fullness.expect_soon();
            }
            self.window = self.window.max(self.initial_window());
        }
        if self.opening.resumption.judge(delivered, self.packet_bytes) {
            // What arrived is what the path can do.
            self.capacity.keep_latest_rate();
            self.fullness.set_full();
            self.window = self.content(1.0);
        }
    }

    fn begin_round(&mut self, now: Instant) {
        let delivered = self.delivery.delivered();
        if self.rounds.begin(now, delivered, self.packet_bytes) {
            // What arrived is what the path can do; older rounds promised too much.
            self.capacity.keep_latest_rate();
            self.fullness.set_full();
        }
        if let Some(rtt) = self.capacity.rtt() {
            self.crowd.begin_round(rtt.value);
        }
        if let Some(rate) = self.crowd.take_back(now, self.capacity.rate()) {
            self.capacity.claim_rate(self.rounds.number, rate);
        }
    }

    fn advance(&mut self, now: Instant, is_rtt_old: bool) {
        match self.state {
            State::ProbeRtt { until: None } if self.delivery.in_flight() <= self.window() => {
                let round_trip = self.capacity.rtt().map_or(Duration::ZERO, |rtt| rtt.value);
                self.state = State::ProbeRtt {
                    until: Some(now + RTT_PROBE.max(round_trip)),
                };
            }
            State::ProbeRtt { until: Some(until) } if now >= until => {
                self.crowd.forget();
                self.state = if self.fullness.is_full() {
                    State::cruise(now, self.delivery.delivered())
                } else {
                    State::Startup
                };
            }
            State::ProbeRtt { .. } => {}
            _ if is_rtt_old => self.state = State::ProbeRtt { until: None },
            State::Startup if self.fullness.is_full() => self.state = State::Drain,
            State::Startup => {}
            State::Drain if self.delivery.in_flight() <= self.content(1.0) => {
                self.state = State::cruise(now, self.delivery.delivered());
            }
            State::Drain => {}
            State::Cruise { .. } => {
                let (rtt, filling) = (self.capacity.rtt(), self.filling());
                self.cycle.turn(now, &mut self.state, rtt, filling);
            }
        }
    }

    /// Looks for others on the path; the start and a look at the empty path make and empty queues themselves.
    fn watch_crowd(&mut self, now: Instant, sample: &Sample) {
        let (Some(rtt), State::Cruise { .. }) = (self.capacity.rtt(), self.state) else {
            return self.crowd.look_away();
        };
        let packets = |bytes: u64| bytes as f64 / self.packet_bytes as f64;
        let group = Group {
            arrived: packets(sample.acknowledged),
            in_flight: packets(self.delivery.in_flight()),
            rate: self.capacity.rate(),
            content: packets(self.content(1.0)),
            rtt: sample.rtt,
            shortest: rtt.value,
        };
        self.crowd.take(now, &group);
    }

    /// Lets the window follow the model by what is acknowledged ([paper], "cwnd_gain"), beside others
    /// CUBIC's law, but never below what the path holds: alone behind a shallow queue nothing is lost by it.
    fn grow(&mut self, now: Instant, acknowledged: u64) {
        let target = self.content(WINDOW_GAIN) + self.aggregation.extra();
        let grown = self.window + acknowledged;
        let shared = self
            .capacity
            .rtt()
            .and_then(|rtt| self.crowd.bound(now, rtt.value));
        if let Some(packets) = shared {
            let bytes = (packets * self.packet_bytes as f64) as u64;
            self.window = grown.min(bytes.max(self.content(1.0)));
        } else if self.fullness.is_full() {
            self.window = grown.min(target);
        } else if self.window < target || self.delivery.delivered() < self.initial_window() {
            self.window = grown;
        }
        self.window = self.window.max(self.smallest_window());
    }

    /// What is in flight, of what the path holds without a queue.
    fn filling(&self) -> f64 {
        self.delivery.in_flight() as f64 / self.content(1.0) as f64
    }

    /// Bytes that the path holds without a queue, times a gain.
    fn content(&self, gain: f64) -> u64 {
        match self.capacity.content() {
            Some(bytes) => (bytes * gain) as u64,
            None => self.initial_window(),
        }
    }

    fn smallest_window(&self) -> u64 {
        SMALLEST_PACKETS * self.packet_bytes
    }
}
