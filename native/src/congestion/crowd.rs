//! Whether others fill the queue, and what this flow may then have in flight.
//!
//! A flow that follows its model alone takes nine tenths from a TCP CUBIC at a queue of one round trip: it
//! holds twice the path's content, so that only the other one ever meets the full queue (Ware et al., IMC
//! 2019; the same in `sharing.rs` without this file). Beside others it follows a law like CUBIC's instead.

use std::time::{Duration, Instant};

/// What is kept of the window when the queue is full, if the path does not hold more by itself. Simulated: with
/// 0.65 two of ours are within a fifth of each other in a third of all pairs, now in half; with 0.5 a BBR leaves ours a third.
const LEAST_KEPT: f64 = 0.55;
const MOST_KEPT: f64 = 0.9;
/// Where the window stops growing fast, of what met the full queue; CUBIC's is at 1. Simulated: with 0.9
/// two of ours over 100 ms stay at 0.64 for half a minute, now at 0.59; with 0.6 it is the same as now.
const PLATEAU: f64 = 0.75;
/// How the window grows from there, in packets and seconds, for what is given up; CUBIC's is 0.4 / 0.3 (RFC 9438, 4.6
/// and 5). Simulated: with 0.93 a CUBIC behind half a round trip of queue gets a sixth.
const GROWS: f64 = 0.47;
/// What is remembered of a round's packets when the next one begins; simulated: 0.98 shares no better.
const MEMORY: f64 = 15.0 / 16.0;
/// Losses beyond what chance explains, before the queue is blamed; simulated: 0 and 1 share no better.
const LOSSES_TO_BLAME: f64 = 3.0;
/// Less than this is no queue but the hosts' own doing.
const QUEUE: f64 = 1.05;
/// A queue that lengthens every round trip by a third for a whole cycle is not this flow's, which asks
/// for a quarter more in one round of eight. Simulated: with 1.7, CUBIC gets a fifth of the link.
const STANDING: f64 = 4.0 / 3.0;
const STANDING_ROUNDS: u32 = 8;
/// Less than this is no queue that others would keep. Simulated: with 1.2 a CUBIC gets a tenth of the link, with
/// 1.05 our own queue hides that nobody else is there.
const EMPTY: f64 = 1.1;
/// For so many rounds no such queue means that nobody fills one: what looked like it was a host that stood still.
/// Simulated: with 24 and 32 a CUBIC behind half a round trip of queue gets less, with 96 little is won back.
const EMPTY_ROUNDS: u32 = 48;
/// On a path shorter than this nobody is seen: a host on a busy machine gets its turn as late as a queue
/// would let it. A flow that was alone on 100 Mbit/s and 10 ms gave way to itself, let the queue grow to two
/// round trips, and lost 2.7 to 5.9 % there.
const NEAR: Duration = Duration::from_millis(20);
/// Who has so little left of the rate, after giving way, gave way to somebody who does not (TCP BBR does not).
const ROBBED: f64 = 0.4;
/// For how long nothing is given to somebody like that.
const STUBBORN: Duration = Duration::from_secs(60);

/// A group of acknowledgements, in packets.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// Packets that arrived.
    pub arrived: f64,
    /// Packets under way.
    pub in_flight: f64,
    /// The path's rate in bytes a second, as this flow sees it.
    pub rate: u64,
    /// Packets that it holds at this rate without a queue.
    pub content: f64,
    /// Its round trip.
    pub rtt: Duration,
    /// The path's shortest one.
    pub shortest: Duration,
}

/// What arrived and what did not.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    arrived: f64,
    lost: f64,
}

/// A part of the window that was given up.
#[derive(Clone, Copy, Debug)]
struct Reduction {
    at: Instant,
    round: u64,
    /// The window before, in packets.
    most: f64,
    /// What is left of that, as a share.
    kept: f64,
}

/// Tells whether others fill the queue.
///
/// Chance loses as much when the queue is long as when it is short; a full queue does not.
#[derive(Clone, Debug, Default)]
pub struct Crowd {
    long: Tally,
    short: Tally,
    /// Packets found missing since the last group.
    lost: f64,
    /// The longest round trip of late.
    longest: Duration,
    /// The shortest one of the round.
    least: Option<Duration>,
    round: u64,
    /// Rounds in a row in which the queue was never short.
    standing: u32,
    /// Rounds in a row in which there was none for a moment.
    empty: u32,
    reduction: Option<Reduction>,
    /// Bytes a second before the first reduction.
    claim: u64,
    /// Until when nobody is given way to.
    stubborn_until: Option<Instant>,
}

impl Crowd {
    /// Notes packets that are missing.
    pub fn lost(&mut self, packets: f64) {
        self.lost += packets;
    }

    /// Says that the queue is this flow's own doing for the moment.
    pub fn look_away(&mut self) {
        self.lost = 0.0;
    }

    /// Takes a group of acknowledgements and gives way if the queue is full of others.
    pub fn take(&mut self, now: Instant, group: &Group) {
        let lost = std::mem::take(&mut self.lost);
        if group.shortest < NEAR || self.stubborn_until.is_some_and(|until| now < until) {
            return;
        }
        self.longest = self.longest.max(group.rtt);
        self.least = Some(self.least.map_or(group.rtt, |least| least.min(group.rtt)));
        let is_long = group.rtt + group.rtt > group.shortest + self.longest
            && group.rtt > group.shortest.mul_f64(QUEUE);
        let tally = if is_long {
            &mut self.long
        } else {
            &mut self.short
        };
        tally.arrived += group.arrived;
        tally.lost += lost;
        let has_lost = is_long && self.is_queue_to_blame();
        let is_squeezed = self.reduction.is_none() && self.standing > STANDING_ROUNDS;
        if has_lost || is_squeezed {
            self.give_way(now, group, group.in_flight + lost);
        }
    }

    /// Forgets a part of what was: a round is over.
    pub fn begin_round(&mut self, shortest: Duration) {
        self.round += 1;
        for tally in [&mut self.long, &mut self.short] {
            tally.arrived *= MEMORY;
            tally.lost *= MEMORY;
        }
        let above = self.longest.saturating_sub(shortest);
        self.longest = shortest + above.mul_f64(MEMORY);
        let limit = shortest.mul_f64(STANDING);
        let least = self.least.take();
        let is_standing = least.is_some_and(|least| least > limit);
        self.standing = if is_standing { self.standing + 1 } else { 0 };
        let is_empty = least.is_some_and(|least| least < shortest.mul_f64(EMPTY));
        self.empty = if is_empty { self.empty + 1 } else { 0 };
        if self.reduction.is_some() && self.empty > EMPTY_ROUNDS {
            self.forget();
        }
    }

    /// Gives way to nobody, as BBR does.
    #[cfg(test)]
    pub fn ignored(now: Instant) -> Self {
        Self {
            stubborn_until: Some(now + 1000 * STUBBORN),
            ..Self::default()
        }
    }

    /// Tells whether others fill the queue.
    pub fn is_here(&self) -> bool {
        self.reduction.is_some()
    }

    /// Forgets all others: they may have gone.
    pub fn forget(&mut self) {
        *self = Self {
            longest: self.longest,
            round: self.round,
            stubborn_until: self.stubborn_until,
            ..Self::default()
        };
    }

    /// Takes a rate back that was given up in vain: the others took all of it.
    pub fn take_back(&mut self, now: Instant, rate: u64) -> Option<u64> {
        self.reduction?;
        if rate as f64 >= self.claim as f64 * ROBBED {
            return None;
        }
        let claim = self.claim;
        self.forget();
        self.stubborn_until = Some(now + STUBBORN);
        Some(claim)
    }

    /// The most packets that may be in flight; none without others.
    ///
    /// CUBIC's law (RFC 9438, 4.2 and 4.3) with a lower plateau. What is above it is won by the time that has passed, the
    /// same for all, while a full queue takes a part of all that one has: so two such flows become equal.
    pub fn bound(&self, now: Instant, rtt: Duration) -> Option<f64> {
        let Reduction { at, most, kept, .. } = self.reduction?;
        let seconds = (now - at).as_secs_f64();
        let growth = GROWS * (1.0 - kept);
        let plateau = most * PLATEAU.max(kept);
        let regained = ((plateau - most * kept) / growth).cbrt();
        let cubic = growth * (seconds - regained).powi(3) + plateau;
        let added = 3.0 * (1.0 - kept) / (1.0 + kept);
        let reno = most * kept + added * seconds / rtt.as_secs_f64();
        Some(cubic.max(reno))
    }

    fn is_queue_to_blame(&self) -> bool {
        // One more than was lost: of few packets that arrived, none lost says little.
        let by_chance = (self.short.lost + 1.0) / (self.short.arrived + 1.0) * self.long.arrived;
        self.long.lost > 2.0 * by_chance + LOSSES_TO_BLAME
    }

    /// Once in two rounds, since the first one still tells of the time before.
    fn give_way(&mut self, now: Instant, group: &Group, most: f64) {
        let round = self.round;
        if self.reduction.is_some_and(|last| round < last.round + 2) {
            return;
        }
        if self.reduction.is_none() {
            self.claim = group.rate;
        }
        self.long = Tally::default();
        self.short = Tally::default();
        self.reduction = Some(Reduction {
            at: now,
            round,
            most,
            kept: (group.content / most).clamp(LEAST_KEPT, MOST_KEPT),
        });
    }
}
