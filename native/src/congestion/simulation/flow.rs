//! One sender as QUIC's engine runs it: window, pacing, finding what is lost (RFC 9002), sending it again.

use std::{collections::VecDeque, time::Instant};

use super::{
    network::{Nanos, nanos},
    sender::Sender,
};

/// Bytes of every packet.
pub const PACKET_BYTES: u64 = 1452;
/// Packets that are acknowledged after a missing one until it counts as lost (RFC 9002, 6.1.1).
const REORDERING: u64 = 3;
/// What a receiver may hold back (RFC 9000, 18.2).
const ACKNOWLEDGEMENT_DELAY: f64 = 0.025;
/// What the engine's pacer lets through at once: 2 ms, at least ten packets, but not more than 10 ms.
const BURST_SECONDS: f64 = 0.002;
const LONGEST_BURST_SECONDS: f64 = 0.01;
const BURST_PACKETS: u64 = 10;

/// A packet under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Packet {
    pub number: u64,
    pub bytes: u64,
}

/// A transfer over the network.
pub struct Flow {
    sender: Box<dyn Sender>,
    /// When it starts.
    pub begins: Nanos,
    payload: u64,
    /// Bytes that the application has had by a time in seconds.
    offered: fn(f64) -> f64,
    flight: VecDeque<Option<(Nanos, Instant)>>,
    first: u64,
    in_flight: u64,
    largest: u64,
    lost: u64,
    next_send: Nanos,
    wakes_at: Option<Nanos>,
    smoothed_rtt: f64,
    progress: Nanos,
    timeouts: u32,
    probes: u32,
    is_app_limited: bool,
    /// Packets sent.
    pub sent: u64,
    /// Bytes delivered, for each hundredth of a second.
    delivered: Vec<u64>,
    total: u64,
    /// When half of the payload, and when all of it was delivered.
    pub half: f64,
    pub done: f64,
}

impl Flow {
    /// Has so many bytes to send, from so many seconds on.
    pub fn new(sender: Box<dyn Sender>, begins: f64, payload: u64) -> Self {
        Self {
            sender,
            begins: nanos(begins),
            payload,
            offered: |_| f64::INFINITY,
            flight: VecDeque::new(),
            first: 0,
            in_flight: 0,
            largest: 0,
            lost: 0,
            next_send: 0,
            wakes_at: None,
            smoothed_rtt: 0.333,
            progress: 0,
            timeouts: 0,
            probes: 0,
            is_app_limited: false,
            sent: 0,
            delivered: Vec::new(),
            total: 0,
            half: f64::INFINITY,
            done: f64::INFINITY,
        }
    }

    /// The same with an application that has only so many bytes by a time.
    pub fn with_offered(mut self, offered: fn(f64) -> f64) -> Self {
        self.offered = offered;
        self
    }

    /// Tells whether all has arrived.
    pub fn is_done(&self) -> bool {
        self.total >= self.payload
    }

    /// Bytes a second that arrived between two times.
    pub fn rate(&self, from: f64, to: f64) -> f64 {
        let slots = (from * 100.0) as usize..(to * 100.0) as usize;
        let part = self.delivered.iter().take(slots.end).skip(slots.start);
        part.sum::<u64>() as f64 / (to - from)
    }

    /// Takes the next packet to send, if it may go now.
    pub fn next_packet(&mut self, now: Nanos, instant: Instant) -> Option<Packet> {
        let is_probe = self.probes > 0;
        self.is_app_limited = !self.has_data(now);
        let has_room = (self.in_flight + 1) * PACKET_BYTES <= self.sender.window();
        if now < self.begins || self.is_app_limited || !(has_room || is_probe) {
            return None;
        }
        let rate = match self.sender.pacing_rate() {
            Some(rate) => rate as f64,
            None => 1.25 * self.sender.window() as f64 / self.smoothed_rtt,
        };
        let packets = (BURST_PACKETS * PACKET_BYTES) as f64;
        let burst = (packets / rate).clamp(BURST_SECONDS, LONGEST_BURST_SECONDS);
        let next = self.next_send.max(now.saturating_sub(nanos(burst)));
        if next > now {
            return None;
        }
        self.next_send = next + nanos(PACKET_BYTES as f64 / rate);
        self.probes = self.probes.saturating_sub(1);
        let number = self.first + self.flight.len() as u64;
        self.sender.sent(instant, PACKET_BYTES, number);
        self.flight.push_back(Some((now, instant)));
        self.in_flight += 1;
        self.sent += 1;
        Some(Packet {
            number,
            bytes: PACKET_BYTES,
        })
    }

    /// Tells when to try again, if pacing or the application is what holds it back and nobody tries before.
    pub fn wake(&mut self, now: Nanos) -> Option<Nanos> {
        let has_room = (self.in_flight + 1) * PACKET_BYTES <= self.sender.window();
        let waits_for_data = self.is_app_limited && self.total < self.payload;
        let at = if waits_for_data {
            now + nanos(0.001)
        } else {
            self.next_send
        };
        let is_due = at > now && (waits_for_data || has_room) && self.wakes_at.is_none();
        if !is_due {
            return None;
        }
        self.wakes_at = Some(at);
        Some(at)
    }

    /// Says that the time of a wake has come.
    pub fn woken(&mut self) {
        self.wakes_at = None;
    }

    /// Takes a packet that has arrived; one that counts as lost was sent again already.
    pub fn acknowledged(&mut self, now: Nanos, instant: Instant, packet: Packet) {
        let Some(index) = packet.number.checked_sub(self.first) else {
            return;
        };
        let slot = self.flight.get_mut(index as usize);
        let Some((at, sent_at)) = slot.and_then(Option::take) else {
            return;
        };
        self.in_flight -= 1;
        self.largest = self.largest.max(packet.number);
        self.progress = now;
        self.timeouts = 0;
        let rtt = (now - at) as f64 * 1e-9;
        self.smoothed_rtt += (rtt - self.smoothed_rtt) / 8.0;
        if self.total == 0 {
            self.smoothed_rtt = rtt;
        }
        self.sender
            .acknowledged(instant, sent_at, packet.bytes, packet.number);
        self.note_delivered(now, packet.bytes);
    }

    /// Ends a group of acknowledgements: what was overtaken counts as lost.
    pub fn acknowledgements_done(&mut self, now: Nanos, instant: Instant) {
        let in_flight = self.in_flight * PACKET_BYTES;
        self.sender
            .acknowledgements_done(instant, in_flight, self.is_app_limited);
        let too_old = nanos(self.smoothed_rtt * 1.125);
        let mut run: Option<Nanos> = None;
        let mut is_dead = false;
        while let Some(front) = self.flight.front() {
            match *front {
                None => run = None,
                Some((at, sent_at)) => {
                    let number = self.first;
                    let is_overtaken = self.largest >= number + REORDERING
                        || self.largest > number && now - at >= too_old;
                    if !is_overtaken {
                        break;
                    }
                    self.sender.lost(instant, sent_at, PACKET_BYTES, number);
                    self.in_flight -= 1;
                    self.lost += 1;
                    let since = *run.get_or_insert(at);
                    // Persistent congestion, RFC 9002, 7.6.
                    is_dead |= at - since > 3 * self.timeout();
                }
            }
            self.flight.pop_front();
            self.first += 1;
        }
        if is_dead {
            self.sender.nothing_arrives();
        }
    }

    /// Sends a probe if nothing has arrived for too long; tells when to look again.
    pub fn timed_out(&mut self, now: Nanos) -> Nanos {
        let due = self.progress.max(self.begins) + (self.timeout() << self.timeouts.min(10));
        if now < due || self.in_flight == 0 {
            return due.max(now + nanos(0.01));
        }
        self.timeouts += 1;
        self.probes = 2;
        self.next_send = now;
        now + (self.timeout() << self.timeouts.min(10))
    }

    fn timeout(&self) -> Nanos {
        nanos(self.smoothed_rtt * 1.5 + ACKNOWLEDGEMENT_DELAY)
    }

    fn has_data(&self, now: Nanos) -> bool {
        let given = (self.sent - self.lost) * PACKET_BYTES;
        self.probes > 0
            || given < self.payload && (given as f64) < (self.offered)(now as f64 * 1e-9)
    }

    fn note_delivered(&mut self, now: Nanos, bytes: u64) {
        let at = (now / 10_000_000) as usize;
        if self.delivered.len() <= at {
            self.delivered.resize(at + 1, 0);
        }
        self.delivered[at] += bytes;
        let is_first_half = self.total < self.payload / 2;
        self.total += bytes;
        let seconds = now as f64 * 1e-9;
        if is_first_half && self.total >= self.payload / 2 {
            self.half = seconds;
        }
        if self.is_done() && self.done.is_infinite() {
            self.done = seconds;
        }
    }
}
