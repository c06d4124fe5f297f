//! One bottleneck with a queue, a delay, and random loss, for the model to send over.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use super::model::Model;

/// Bytes of every packet.
pub const PACKET_BYTES: u64 = 1452;
/// Packets that are sent after a missing one until it counts as lost (RFC 9002, 6.1.1).
const REORDERING: u64 = 3;

/// A bottleneck and who sends over it.
pub struct Path {
    /// Of the bottleneck.
    pub bytes_per_second: f64,
    /// Of the empty path, to and fro.
    pub delay: Duration,
    /// Share of the packets that chance loses.
    pub loss: f64,
    /// Content of the queue, in round trips of the bottleneck's rate.
    pub queue: f64,
    /// Bytes a second that the application has to send.
    pub offered: f64,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// Delivered bytes a second, of what the bottleneck can carry.
    pub share: f64,
    /// Packets that the queue dropped, of those sent.
    pub dropped: f64,
}

/// Sends for so long and looks at the time after `warm_up`.
pub fn run(path: &Path, model: &mut Model, start: Instant, warm_up: f64, seconds: f64) -> Outcome {
    let mut random = Random(7);
    let serial = Duration::from_secs_f64(PACKET_BYTES as f64 / path.bytes_per_second);
    let queue =
        (path.queue * path.bytes_per_second * path.delay.as_secs_f64()) as u64 / PACKET_BYTES;
    let mut acks: VecDeque<(Instant, u64)> = VecDeque::new();
    let mut flight: BTreeMap<u64, Instant> = BTreeMap::new();
    let (mut now, mut next_send, mut wire_free) = (start, start, start);
    let (mut number, mut dropped, mut delivered) = (0_u64, 0_u64, 0_u64);
    let end = start + Duration::from_secs_f64(seconds);
    while now < end {
        let is_limited =
            (number * PACKET_BYTES) as f64 > path.offered * (now - start).as_secs_f64();
        let has_room = (flight.len() as u64 + 1) * PACKET_BYTES <= model.window();
        let next_ack = acks.front().map(|(at, _)| *at);
        if has_room && !is_limited && next_ack.is_none_or(|at| next_send <= at) {
            now = now.max(next_send);
            model.sent(now, PACKET_BYTES, number);
            flight.insert(number, now);
            let waiting =
                wire_free.saturating_duration_since(now).as_secs_f64() / serial.as_secs_f64();
            if waiting as u64 > queue {
                dropped += 1;
            } else {
                wire_free = wire_free.max(now) + serial;
                if random.next() >= path.loss {
                    acks.push_back((wire_free + path.delay, number));
                }
            }
            number += 1;
            let rate = model.pacing_rate().unwrap_or(1_000_000_000);
            next_send =
                now.max(next_send) + Duration::from_secs_f64(PACKET_BYTES as f64 / rate as f64);
        } else if let Some((at, acknowledged)) = acks.pop_front() {
            now = now.max(at);
            next_send = next_send.max(now);
            let sent_at = flight.remove(&acknowledged).unwrap_or(now);
            model.acknowledged(now, sent_at, PACKET_BYTES, acknowledged);
            delivered += if (now - start).as_secs_f64() > warm_up {
                PACKET_BYTES
            } else {
                0
            };
            let in_flight = flight.len() as u64 * PACKET_BYTES;
            model.acknowledgements_done(now, in_flight, is_limited);
            while let Some(lost) = flight
                .keys()
                .next()
                .copied()
                .filter(|n| n + REORDERING < acknowledged)
            {
                flight.remove(&lost);
                model.lost(PACKET_BYTES, lost);
            }
        } else {
            // Everything that was under way is lost, or the application has nothing: time passes.
            now += path.delay;
            next_send = next_send.max(now);
            for lost in std::mem::take(&mut flight).into_keys() {
                model.lost(PACKET_BYTES, lost);
            }
        }
    }
    Outcome {
        share: delivered as f64 / (seconds - warm_up) / path.bytes_per_second,
        dropped: dropped as f64 / number as f64,
    }
}

/// A bottleneck of so many Mbit/s, with a queue of one round trip, that is always given enough.
pub fn megabits(rate: f64, delay_ms: u64, loss: f64) -> Path {
    Path {
        bytes_per_second: rate * 125_000.0,
        delay: Duration::from_millis(delay_ms),
        loss,
        queue: 1.0,
        offered: f64::INFINITY,
    }
}

/// A generator of numbers from 0 to 1 that are the same in every run (xorshift64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}
