//! How fast the path delivers: one sample for each group of acknowledgements ([draft], 4.1).

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// Packets that are looked back on; one that was never answered is forgotten behind so many others.
const LONGEST_FLIGHT: usize = 1 << 17;

/// What was known when a packet was sent.
#[derive(Clone, Copy, Debug)]
struct Sent {
    at: Instant,
    /// Bytes delivered before it.
    delivered: u64,
    /// When the last of those was acknowledged.
    delivered_at: Instant,
    /// When the first packet of its flight was sent.
    flight_began: Instant,
    is_app_limited: bool,
}

/// What a group of acknowledgements says of the path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Bytes in a second; none when the group spans too little time to tell.
    pub rate: Option<u64>,
    /// Whether the rate is the application's doing and not the path's.
    pub is_app_limited: bool,
    /// Whether a round trip has passed since the last round began.
    pub begins_round: bool,
    /// Bytes acknowledged by the group.
    pub acknowledged: u64,
    /// Shortest time from sending to acknowledgement in the group.
    pub rtt: Duration,
}

/// The packets under way and the bytes delivered.
#[derive(Debug)]
pub struct Delivery {
    packets: VecDeque<Option<Sent>>,
    first_number: u64,
    in_flight: u64,
    delivered: u64,
    delivered_at: Instant,
    flight_began: Instant,
    round_ends: u64,
    /// What is sent before so many bytes are delivered does not fill the path.
    app_limited_until: Option<u64>,
    group: Option<Group>,
}

#[derive(Clone, Copy, Debug)]
struct Group {
    newest: Sent,
    acknowledged: u64,
    rtt: Duration,
}

/// The engine copies a controller for a path that looks the same behind another port, and whenever it is
/// asked for one: a copy never learns what becomes of the packets under way, so it has none.
impl Clone for Delivery {
    fn clone(&self) -> Self {
        Self {
            packets: VecDeque::new(),
            in_flight: 0,
            group: None,
            ..*self
        }
    }
}

impl Delivery {
    /// Starts with nothing sent.
    pub fn new(now: Instant) -> Self {
        Self {
            packets: VecDeque::new(),
            first_number: 0,
            in_flight: 0,
            delivered: 0,
            delivered_at: now,
            flight_began: now,
            round_ends: 0,
            app_limited_until: None,
            group: None,
        }
    }

    /// Bytes under way.
    pub fn in_flight(&self) -> u64 {
        self.in_flight
    }

    /// Bytes delivered since the start.
    pub fn delivered(&self) -> u64 {
        self.delivered
    }

    /// Notes a packet that was sent.
    pub fn sent(&mut self, now: Instant, bytes: u64, number: u64) {
        if self.in_flight == 0 {
            self.flight_began = now;
            self.delivered_at = now;
        }
        self.make_room(number);
        self.packets.push_back(Some(Sent {
            at: now,
            delivered: self.delivered,
            delivered_at: self.delivered_at,
            flight_began: self.flight_began,
            is_app_limited: self.app_limited_until.is_some(),
        }));
        self.in_flight += bytes;
    }

    /// Notes a packet that arrived, sent at `sent_at`.
    ///
    /// A packet of the handshake may have the number of one of the data, but not its time: taken for it,
    /// it would give the path a round trip of next to nothing.
    pub fn acknowledged(&mut self, now: Instant, sent_at: Instant, bytes: u64, number: u64) {
        self.in_flight = self.in_flight.saturating_sub(bytes);
        let Some(sent) = self.take(number, |sent| sent.at == sent_at) else {
            return;
        };
        self.delivered += bytes;
        self.delivered_at = now;
        let rtt = now.saturating_duration_since(sent.at);
        self.group = Some(match self.group {
            None => Group {
                newest: sent,
                acknowledged: bytes,
                rtt,
            },
            Some(group) => Group {
                newest: if sent.at >= group.newest.at {
                    sent
                } else {
                    group.newest
                },
                acknowledged: group.acknowledged + bytes,
                rtt: rtt.min(group.rtt),
            },
        });
    }

    /// Notes a packet that did not arrive.
    pub fn lost(&mut self, bytes: u64, number: u64) {
        self.in_flight = self.in_flight.saturating_sub(bytes);
        self.take(number, |_| true);
    }

    /// Ends a group of acknowledgements; none if none was of a packet that is known.
    ///
    /// A sample over less than `shortest_rtt` is the work of batched acknowledgements ([draft], 4.1.2.4).
    pub fn sample(
        &mut self,
        in_flight: u64,
        is_app_limited: bool,
        shortest_rtt: Duration,
    ) -> Option<Sample> {
        self.in_flight = in_flight;
        if self
            .app_limited_until
            .is_some_and(|until| self.delivered > until)
        {
            self.app_limited_until = None;
        }
        if is_app_limited {
            self.app_limited_until = Some(self.delivered + in_flight);
        }
        let group = self.group.take()?;
        let newest = group.newest;
        self.flight_began = newest.at;
        let begins_round = newest.delivered >= self.round_ends;
        if begins_round {
            self.round_ends = self.delivered;
        }
        let sending = newest.at.saturating_duration_since(newest.flight_began);
        let acknowledging = self
            .delivered_at
            .saturating_duration_since(newest.delivered_at);
        let interval = sending.max(acknowledging);
        let bytes = self.delivered - newest.delivered;
        let is_long_enough = !interval.is_zero() && interval >= shortest_rtt;
        Some(Sample {
            rate: is_long_enough.then(|| (bytes as f64 / interval.as_secs_f64()) as u64),
            is_app_limited: newest.is_app_limited,
            begins_round,
            acknowledged: group.acknowledged,
            rtt: group.rtt,
        })
    }

    /// Makes the packet's number the next one of the table.
    ///
    /// Packet numbers of the handshake's spaces run beside those of the data, and nothing tells which
    /// is which: a number that does not go on from the last begins a new table.
    fn make_room(&mut self, number: u64) {
        let next = self.first_number + self.packets.len() as u64;
        if number < next || number - next > LONGEST_FLIGHT as u64 {
            self.packets.clear();
        }
        if self.packets.is_empty() {
            self.first_number = number;
        }
        while self.first_number + (self.packets.len() as u64) < number {
            self.packets.push_back(None);
        }
        if self.packets.len() >= LONGEST_FLIGHT {
            self.packets.pop_front();
            self.first_number += 1;
        }
    }

    /// Takes the packet of a number out of the table, if it is the one that is meant.
    fn take(&mut self, number: u64, is_meant: impl Fn(&Sent) -> bool) -> Option<Sent> {
        let index = usize::try_from(number.checked_sub(self.first_number)?).ok()?;
        let sent = self.packets.get_mut(index)?.take_if(|sent| is_meant(sent));
        while let Some(None) = self.packets.front() {
            self.packets.pop_front();
            self.first_number += 1;
        }
        sent
    }
}
