//! The model of a path and what it allows: how fast, and how much at once.

use std::time::{Duration, Instant};

use super::{
    aggregation::Aggregation,
    delivery::{Delivery, Sample},
    fullness::Fullness,
    opening::{self, Opening},
    recent_max::RecentMax,
    shortest_rtt::{SHORTEST_ROUND_TRIP, ShortestRtt},
};

/// Doubles the rate each round: 4 ln 2, [draft] 2.4.
const STARTUP_GAIN: f64 = 2.77;
/// [draft] 2.4. Measured: 2.77 here doubled the packets that the link's queue dropped.
const WINDOW_GAIN: f64 = 2.0;
/// Empties in one round what the start put into the queue, [paper].
const DRAIN_GAIN: f64 = 1.0 / STARTUP_GAIN;
/// One phase a round trip: ask for more, give way, then cruise; [paper].
const CYCLE: [f64; 8] = [1.25, 0.75, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0];
/// Slightly below the estimate, so that a queue does not grow by its error; [draft] 2.4.
const PACING_MARGIN: f64 = 0.99;
/// How long, at least, little is sent to see the empty path's round trip; [paper].
const RTT_PROBE: Duration = Duration::from_millis(200);
/// What is kept in flight meanwhile, of the path's content; [draft] 2.14.2.
const RTT_PROBE_GAIN: f64 = 0.5;
/// Loss below this is the link's, above it a queue's or a policer's. Measured: 5 % by chance cost no more.
const LOSS_TOLERATED: f64 = 0.15;
/// What a round must lose before its share says anything; [draft] 2.4 says 6. At 5 % random loss the
/// first 32 packets lose eight in one start of 7,000, five in one of 50.
const LOSSES_TO_JUDGE: u64 = 8;
/// Keeps acknowledgements coming; [paper].
const SMALLEST_PACKETS: u64 = 4;

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

/// The model of one path.
#[derive(Clone, Debug)]
pub struct Model {
    state: State,
    delivery: Delivery,
    rates: RecentMax,
    packet_bytes: u64,
    window: u64,
    round: u64,
    round_began: Instant,
    rtt: Option<ShortestRtt>,
    fullness: Fullness,
    aggregation: Aggregation,
    lost_in_round: u64,
    delivered_before_round: u64,
    has_lost_in_phase: bool,
    opening: Opening,
}

impl Model {
    /// Starts with nothing known of the path.
    pub fn new(now: Instant, packet_bytes: u64) -> Self {
        Self {
            state: State::Startup,
            delivery: Delivery::new(now),
            rates: RecentMax::default(),
            packet_bytes,
            window: opening::window(packet_bytes, None),
            round: 0,
            round_began: now,
            rtt: None,
            fullness: Fullness::default(),
            aggregation: Aggregation::new(now),
            lost_in_round: 0,
            delivered_before_round: 0,
            has_lost_in_phase: false,
            opening: Opening::default(),
        }
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
        opening::window(self.packet_bytes, self.rtt)
    }

    /// The path's rate in bytes a second, once known.
    pub fn rate(&self) -> Option<u64> {
        Some(self.rates.value()).filter(|rate| *rate > 0)
    }

    /// The rate to send with in bytes a second, once known.
    ///
    /// None on a local wire, which the engine then paces by the window: a timer cannot do better there.
    pub fn pacing_rate(&self) -> Option<u64> {
        if self.is_local() && self.state != State::Startup {
            return None;
        }
        // What came before the data, a question and its answer, says nothing of the path.
        let floor = match (self.state, self.rtt) {
            (State::Startup, Some(rtt)) => self.initial_window() as f64 / rtt.seconds(),
            _ => 0.0,
        };
        let gain = match self.state {
            State::Startup => STARTUP_GAIN,
            State::Drain => DRAIN_GAIN,
            State::Cruise { phase, .. } => CYCLE[phase],
            State::ProbeRtt { .. } => 1.0,
        };
        self.rate()
            .map(|rate| ((rate as f64).max(floor) * gain * PACING_MARGIN) as u64)
    }

    /// Notes a full packet's size.
    pub fn set_packet_bytes(&mut self, bytes: u64) {
        self.packet_bytes = bytes;
        self.window = self.window.max(self.smallest_window());
    }

    /// Notes a packet that was sent.
    pub fn sent(&mut self, now: Instant, bytes: u64, number: u64) {
        self.delivery.sent(now, bytes, number);
    }

    /// Notes a packet that arrived, sent at `sent_at`.
    pub fn acknowledged(&mut self, now: Instant, sent_at: Instant, bytes: u64, number: u64) {
        self.delivery.acknowledged(now, sent_at, bytes, number);
    }

    /// Notes a packet that did not arrive.
    pub fn lost(&mut self, bytes: u64, number: u64) {
        self.delivery.lost(bytes, number);
        self.lost_in_round += bytes;
        self.has_lost_in_phase = true;
    }

    /// Gives up all but the smallest window: for several round trips nothing has arrived.
    pub fn nothing_arrives(&mut self) {
        self.opening.end();
        self.window = self.smallest_window();
    }

    /// Draws the conclusions from a group of acknowledgements.
    pub fn acknowledgements_done(&mut self, now: Instant, in_flight: u64, is_app_limited: bool) {
        let shortest = self.rtt.map_or(Duration::ZERO, |rtt| rtt.value);
        let Some(sample) = self.delivery.sample(in_flight, is_app_limited, shortest) else {
            return;
        };
        let begins_round = sample.begins_round && now >= self.round_began + SHORTEST_ROUND_TRIP;
        if begins_round {
            self.round_began = now;
            self.begin_round();
        }
        self.take_rate(&sample);
        self.aggregation
            .take(now, &sample, self.round, self.rates.value(), self.window);
        if begins_round && !sample.is_app_limited {
            self.fullness.take(self.rates.value());
        }
        let is_rtt_old = self.take_rtt(now, sample.rtt);
        if self
            .opening
            .goes_on(self.delivery.delivered(), self.packet_bytes)
        {
            self.window = self.window.max(self.initial_window());
        }
        self.advance(now, is_rtt_old);
        self.grow(sample.acknowledged);
    }

    fn begin_round(&mut self) {
        self.round += 1;
        let delivered = self.delivery.delivered() - self.delivered_before_round;
        let total = (delivered + self.lost_in_round) as f64;
        // Of few packets chance alone can lose a sixth.
        let are_enough = self.lost_in_round >= LOSSES_TO_JUDGE * self.packet_bytes;
        if are_enough && self.lost_in_round as f64 > total * LOSS_TOLERATED {
            // What arrived is what the path can do; older rounds promised too much.
            self.rates.keep_latest();
            self.fullness.set_full();
        }
        self.delivered_before_round = self.delivery.delivered();
        self.lost_in_round = 0;
    }

    /// A rate that the application held down says nothing, unless it is higher than all others.
    fn take_rate(&mut self, sample: &Sample) {
        let Some(rate) = sample.rate else { return };
        if !sample.is_app_limited || rate > self.rates.value() {
            self.rates.add(self.round, rate);
        }
    }

    /// Takes a round trip; tells whether the shortest one is too old to be believed.
    fn take_rtt(&mut self, now: Instant, value: Duration) -> bool {
        let is_old = self.rtt.is_some_and(|rtt| rtt.is_old(now));
        if is_old || self.rtt.is_none_or(|rtt| value <= rtt.value) {
            self.rtt = Some(ShortestRtt { value, since: now });
        }
        is_old
    }

    fn advance(&mut self, now: Instant, is_rtt_old: bool) {
        let cruise = State::Cruise {
            phase: 2,
            since: now,
        };
        match self.state {
            State::ProbeRtt { until: None } if self.delivery.in_flight() <= self.window() => {
                let round_trip = self.rtt.map_or(Duration::ZERO, |rtt| rtt.value);
                self.state = State::ProbeRtt {
                    until: Some(now + RTT_PROBE.max(round_trip)),
                };
            }
            State::ProbeRtt { until: Some(until) } if now >= until => {
                self.state = if self.fullness.is_full() {
                    cruise
                } else {
                    State::Startup
                };
            }
            State::ProbeRtt { .. } => {}
            _ if is_rtt_old => self.state = State::ProbeRtt { until: None },
            State::Startup if self.fullness.is_full() => self.state = State::Drain,
            State::Startup => {}
            State::Drain if self.delivery.in_flight() <= self.content(1.0) => self.state = cruise,
            State::Drain => {}
            State::Cruise { phase, since } => self.turn(now, phase, since),
        }
    }

    /// Goes on in the cycle.
    ///
    /// Asking for more goes on until more is under way or something is lost, since a rate takes a round
    /// trip to show; giving way ends as soon as no queue is left.
    fn turn(&mut self, now: Instant, phase: usize, since: Instant) {
        let in_flight = self.delivery.in_flight();
        let is_long_enough = self
            .rtt
            .is_some_and(|rtt| now > since + rtt.value.max(SHORTEST_ROUND_TRIP));
        let is_over = match CYCLE[phase] {
            gain if gain > 1.0 => {
                is_long_enough && (self.has_lost_in_phase || in_flight >= self.content(gain))
            }
            gain if gain < 1.0 => is_long_enough || in_flight <= self.content(1.0),
            _ => is_long_enough,
        };
        if is_over {
            self.state = State::Cruise {
                phase: (phase + 1) % CYCLE.len(),
                since: now,
            };
            self.has_lost_in_phase = false;
        }
    }

    /// Lets the window follow the model by what is acknowledged ([paper], "cwnd_gain").
    fn grow(&mut self, acknowledged: u64) {
        let target = self.content(WINDOW_GAIN) + self.aggregation.extra();
        let grown = self.window + acknowledged;
        if self.fullness.is_full() {
            self.window = grown.min(target);
        } else if self.window < target || self.delivery.delivered() < self.initial_window() {
            self.window = grown;
        }
        self.window = self.window.max(self.smallest_window());
    }

    /// Bytes that the path holds without a queue, times a gain.
    fn content(&self, gain: f64) -> u64 {
        match (self.rate(), self.rtt) {
            (Some(rate), Some(rtt)) => (rate as f64 * rtt.seconds() * gain) as u64,
            _ => self.initial_window(),
        }
    }

    fn is_local(&self) -> bool {
        self.rtt.is_some_and(|rtt| rtt.value < SHORTEST_ROUND_TRIP)
    }

    fn smallest_window(&self) -> u64 {
        SMALLEST_PACKETS * self.packet_bytes
    }
}
