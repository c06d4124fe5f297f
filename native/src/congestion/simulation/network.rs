//! Flows that share one link, in virtual time: events in their order, no clock and no socket.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    time::{Duration, Instant},
};

use super::{
    flow::{Flow, Packet},
    link::{Link, Wire},
};

/// Nanoseconds since the start.
pub type Nanos = u64;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// The acknowledgement of a packet reaches the sender.
    Acknowledged(Packet),
    /// A flow may send again.
    Wake,
    /// Nothing may have arrived for too long.
    Timeout,
}

type Event = Reverse<(Nanos, usize, u64, Kind)>;

/// Some flows and the link that they share.
pub struct Network {
    start: Instant,
    wire: Wire,
    flows: Vec<Flow>,
    events: BinaryHeap<Event>,
    order: u64,
}

impl Network {
    /// Makes a network; each flow starts at its time.
    pub fn new(start: Instant, link: Link, flows: Vec<Flow>) -> Self {
        let mut network = Self {
            start,
            wire: Wire::new(link),
            flows,
            events: BinaryHeap::new(),
            order: 0,
        };
        for at in 0..network.flows.len() {
            let begins = network.flows[at].begins;
            network.push(begins, at, Kind::Wake);
            network.push(begins, at, Kind::Timeout);
        }
        network
    }

    /// Runs until all flows are done, or for so many seconds.
    pub fn run(mut self, seconds: f64) -> (Wire, Vec<Flow>) {
        let end = nanos(seconds);
        while let Some(Reverse((now, at, _, kind))) = self.events.pop() {
            if now > end || self.flows.iter().all(Flow::is_done) {
                break;
            }
            self.wire.change(now);
            let instant = self.start + Duration::from_nanos(now);
            match kind {
                Kind::Acknowledged(packet) => {
                    self.flows[at].acknowledged(now, instant, packet);
                    while let Some(packet) = self.next_of_group(now, at) {
                        self.flows[at].acknowledged(now, instant, packet);
                    }
                    self.flows[at].acknowledgements_done(now, instant);
                }
                Kind::Wake => self.flows[at].woken(),
                Kind::Timeout => {
                    let next = self.flows[at].timed_out(now);
                    self.push(next, at, Kind::Timeout);
                }
            }
            self.send(now, instant, at);
        }
        (self.wire, self.flows)
    }

    fn next_of_group(&mut self, now: Nanos, at: usize) -> Option<Packet> {
        match self.events.peek() {
            Some(Reverse((time, flow, _, Kind::Acknowledged(packet))))
                if *time == now && *flow == at =>
            {
                let packet = *packet;
                self.events.pop();
                Some(packet)
            }
            _ => None,
        }
    }

    fn send(&mut self, now: Nanos, instant: Instant, at: usize) {
        while let Some(packet) = self.flows[at].next_packet(now, instant) {
            if let Some(arrives) = self.wire.carry(now, packet.bytes) {
                self.push(arrives, at, Kind::Acknowledged(packet));
            }
        }
        if let Some(wake) = self.flows[at].wake(now) {
            self.push(wake, at, Kind::Wake);
        }
    }

    fn push(&mut self, time: Nanos, at: usize, kind: Kind) {
        self.order += 1;
        self.events.push(Reverse((time, at, self.order, kind)));
    }
}

/// Turns seconds into nanoseconds.
pub fn nanos(seconds: f64) -> Nanos {
    (seconds * 1e9) as Nanos
}

/// A generator of numbers from 0 to 1 that are the same in every run (xorshift64).
pub struct Random(pub u64);

impl Random {
    /// Returns the next number.
    pub fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}
