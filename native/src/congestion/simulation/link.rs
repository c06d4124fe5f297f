//! A link: one bottleneck with a queue, and all that can befall a packet on the way.

use super::network::{Nanos, Random, nanos};

/// A link as a row of a table describes it.
#[derive(Clone, Debug)]
pub struct Link {
    /// Bytes a second of the bottleneck.
    pub rate: f64,
    /// Round trip of the empty link, in seconds.
    pub delay: f64,
    /// What the queue holds, in bytes.
    pub queue: f64,
    /// What gets lost beside what the queue drops.
    pub loss: Loss,
    /// Up to so many seconds come on top of the delay; packets keep their order.
    pub jitter: f64,
    /// Share of the packets that come late by the time of three to six others.
    pub late: f64,
    /// Drops what goes beyond a rate, without a queue.
    pub policer: Option<Policer>,
    /// Acknowledgements come in groups, once in so many seconds.
    pub acknowledged_every: f64,
    /// Times in which the receiver does not get a processor.
    pub stalls: Option<Stalls>,
    /// Of its dice.
    pub seed: u64,
    /// What the link becomes, in the order of time.
    pub changes: Vec<Change>,
}

/// How packets get lost.
#[derive(Clone, Copy, Debug)]
pub enum Loss {
    /// Each with the same chance.
    Chance(f64),
    /// Gilbert and Elliott: nothing passes for `length` seconds in the mean, once in `every` seconds.
    Bursts { every: f64, length: f64 },
}

/// A token bucket: bytes a second, and bytes that may come at once.
#[derive(Clone, Copy, Debug)]
pub struct Policer {
    pub rate: f64,
    pub bucket: f64,
}

/// Once in `every` seconds, for `length` seconds, a host is not there: its socket holds so many bytes meanwhile.
#[derive(Clone, Copy, Debug)]
pub struct Stalls {
    pub every: f64,
    pub length: f64,
    pub socket: f64,
}

/// From `at` seconds on, another rate and another round trip.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    pub at: f64,
    pub rate: f64,
    pub delay: f64,
}

/// A link at work.
pub struct Wire {
    link: Link,
    free: Nanos,
    random: Random,
    in_burst: bool,
    /// When the burst, or the time between two, is over.
    turns: Nanos,
    tokens: f64,
    tokens_at: Nanos,
    latest: Nanos,
    /// The stall of the receiver that came last, by number, and the bytes that its socket took.
    stall: (u64, f64),
    /// Waiting time in the queue and packets, for each hundredth of a second.
    waits: Vec<(f64, u64)>,
}

impl Wire {
    /// Starts with an empty queue.
    pub fn new(link: Link) -> Self {
        Self {
            tokens: link.policer.map_or(0.0, |policer| policer.bucket),
            random: Random(link.seed),
            link,
            free: 0,
            in_burst: true,
            turns: 0,
            tokens_at: 0,
            latest: 0,
            stall: (0, 0.0),
            waits: Vec::new(),
        }
    }

    /// Becomes what it is to be at this time.
    pub fn change(&mut self, now: Nanos) {
        let Some(change) = self.link.changes.first().copied() else {
            return;
        };
        if now < nanos(change.at) {
            return;
        }
        self.link.changes.remove(0);
        // What waits goes on at the new rate.
        let waiting = self.free.saturating_sub(now) as f64 * self.link.rate / change.rate;
        self.free = now + waiting as Nanos;
        self.link.rate = change.rate;
        self.link.delay = change.delay;
    }

    /// Takes a packet; tells when its acknowledgement is there, if it is not lost.
    pub fn carry(&mut self, now: Nanos, bytes: u64) -> Option<Nanos> {
        let bytes = bytes as f64;
        if self.is_policed(now, bytes) {
            return None;
        }
        let waiting = self.free.saturating_sub(now);
        if waiting as f64 * 1e-9 * self.link.rate > self.link.queue {
            return None;
        }
        self.note_wait(now, waiting);
        self.free = self.free.max(now) + nanos(bytes / self.link.rate);
        if self.is_lost(now) {
            return None;
        }
        let jitter = nanos(self.random.next() * self.link.jitter);
        self.latest = self.latest.max(self.free + jitter);
        let mut arrives = self.latest + nanos(self.link.delay);
        if self.link.late > 0.0 && self.random.next() < self.link.late {
            let others = 3.0 + self.random.next() * 3.0;
            arrives += nanos(others * bytes / self.link.rate);
        }
        let group = nanos(self.link.acknowledged_every).max(1);
        let arrives = arrives.div_ceil(group) * group;
        self.taken(arrives, bytes)
    }

    /// Tells when the receiver takes a packet, if its socket has room for it.
    fn taken(&mut self, arrives: Nanos, bytes: f64) -> Option<Nanos> {
        let Some(stalls) = self.link.stalls else {
            return Some(arrives);
        };
        let number = arrives / nanos(stalls.every);
        let over = number * nanos(stalls.every) + nanos(stalls.length);
        if arrives >= over {
            return Some(arrives);
        }
        if self.stall.0 != number {
            self.stall = (number, 0.0);
        }
        self.stall.1 += bytes;
        (self.stall.1 <= stalls.socket).then_some(over)
    }

    /// Mean time in the queue between two times, in seconds.
    pub fn mean_wait(&self, from: f64, to: f64) -> f64 {
        let (from, to) = ((from * 100.0) as usize, (to * 100.0) as usize);
        let part = self.waits.iter().take(to).skip(from);
        let (sum, count) = part.fold((0.0, 0), |sum, wait| (sum.0 + wait.0, sum.1 + wait.1));
        sum / f64::max(count as f64, 1.0)
    }

    fn is_policed(&mut self, now: Nanos, bytes: f64) -> bool {
        let Some(policer) = self.link.policer else {
            return false;
        };
        let earned = (now - self.tokens_at) as f64 * 1e-9 * policer.rate;
        self.tokens = (self.tokens + earned).min(policer.bucket);
        self.tokens_at = now;
        let is_over = self.tokens < bytes;
        if !is_over {
            self.tokens -= bytes;
        }
        is_over
    }

    fn is_lost(&mut self, now: Nanos) -> bool {
        match self.link.loss {
            Loss::Chance(share) => share > 0.0 && self.random.next() < share,
            Loss::Bursts { every, length } => {
                while self.turns <= now {
                    self.in_burst = !self.in_burst;
                    let mean = if self.in_burst { length } else { every };
                    self.turns += nanos(-mean * (1.0 - self.random.next()).ln());
                }
                self.in_burst
            }
        }
    }

    fn note_wait(&mut self, now: Nanos, waiting: Nanos) {
        let at = (now / 10_000_000) as usize;
        if self.waits.len() <= at {
            self.waits.resize(at + 1, (0.0, 0));
        }
        self.waits[at].0 += waiting as f64 * 1e-9;
        self.waits[at].1 += 1;
    }
}

/// A link of so many Mbit/s and milliseconds, with a queue of one round trip, that loses by chance.
pub fn megabits(rate: f64, delay_ms: f64, loss: f64) -> Link {
    let rate = rate * 125_000.0;
    let delay = delay_ms / 1000.0;
    Link {
        rate,
        delay,
        queue: rate * delay,
        loss: Loss::Chance(loss),
        jitter: 0.0,
        late: 0.0,
        policer: None,
        acknowledged_every: 0.0,
        stalls: None,
        seed: 7,
        changes: Vec::new(),
    }
}

impl Link {
    /// Bytes that it can carry between two times.
    pub fn capacity(&self, from: f64, to: f64) -> f64 {
        let policed = self.policer.map_or(f64::MAX, |policer| policer.rate);
        let (mut bytes, mut at, mut rate) = (0.0, from, self.rate.min(policed));
        for change in self.changes.iter().filter(|change| change.at < to) {
            let until = change.at.max(at);
            bytes += (until - at) * rate;
            (at, rate) = (until, change.rate);
        }
        bytes + (to - at) * rate
    }

    /// The same with a queue of so many round trips.
    pub fn with_queue(mut self, round_trips: f64) -> Self {
        self.queue = self.rate * self.delay * round_trips;
        self
    }
}
