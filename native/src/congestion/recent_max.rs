//! The largest value of the last rounds.

/// Rounds that are remembered: [paper], "a moving time window of 6-10 RTTs".
const ROUNDS: usize = 10;

/// The largest value of the last ten rounds that had one.
///
/// A round without a value does not count, so that a pause forgets nothing.
#[derive(Clone, Debug, Default)]
pub struct RecentMax {
    slots: [u64; ROUNDS],
    at: usize,
    round: u64,
}

impl RecentMax {
    /// Takes a value of a round.
    pub fn add(&mut self, round: u64, value: u64) {
        if round != self.round {
            self.round = round;
            self.at = (self.at + 1) % ROUNDS;
            self.slots[self.at] = 0;
        }
        self.slots[self.at] = self.slots[self.at].max(value);
    }

    /// Returns the largest value; 0 without any.
    pub fn value(&self) -> u64 {
        self.slots.iter().copied().max().unwrap_or(0)
    }

    /// Returns the largest value of the latest round.
    pub fn latest(&self) -> u64 {
        self.slots[self.at]
    }

    /// Forgets all rounds but the latest.
    pub fn keep_latest(&mut self) {
        let latest = self.latest();
        self.slots = [0; ROUNDS];
        self.slots[self.at] = latest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_forgotten_after_ten_rounds() {
        let mut max = RecentMax::default();
        max.add(1, 100);
        for round in 2..=10 {
            max.add(round, 7);
        }
        assert_eq!(max.value(), 100);

        max.add(11, 5);

        assert_eq!(max.value(), 7);
        max.keep_latest();
        assert_eq!(max.value(), 5);
    }
}
