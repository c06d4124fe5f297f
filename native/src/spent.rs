//! Where the time of a stream's verbs goes: sums that are looked at now and then.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use napi_derive::napi;

/// What a verb is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// No verb is under way.
    Nothing,
    /// Whatever else has no name: hashing, encoding, waiting for the processor.
    Work,
    /// A call of the file system, or a wait for one.
    Disk,
    /// Waiting at a limiter.
    Limit,
    /// Waiting for the connection: to take bytes, or to bring them.
    Stream,
}

/// The time of one half of a stream.
#[derive(Debug)]
pub struct Spent(Mutex<State>);

#[derive(Clone, Copy, Debug)]
struct State {
    doing: Doing,
    since: Instant,
    sums: [Duration; 5],
}

/// Ends what a verb is doing, and goes back to what it did before, when it is dropped.
pub struct Entered<'a> {
    spent: &'a Spent,
    before: Doing,
}

impl Default for Spent {
    fn default() -> Self {
        Self(Mutex::new(State {
            doing: Doing::Nothing,
            since: Instant::now(),
            sums: [Duration::ZERO; 5],
        }))
    }
}

impl Spent {
    /// Begins to do something else, until what is returned is dropped.
    pub fn enter(&self, doing: Doing) -> Entered<'_> {
        let before = self.turn_to(doing);
        Entered {
            spent: self,
            before,
        }
    }

    /// Takes time for the disk's that was counted as work: another thread read while the verb waited for it.
    pub fn was_disk(&self, time: Duration) {
        let mut state = self.state();
        let time = time.min(state.sums[Doing::Work as usize]);
        state.sums[Doing::Work as usize] -= time;
        state.sums[Doing::Disk as usize] += time;
    }

    /// Returns the disk's time.
    pub fn on_disk(&self) -> Duration {
        self.state().sums[Doing::Disk as usize]
    }

    /// Returns the sums, with what is under way.
    pub fn so_far(&self) -> SpentObject {
        let mut state = *self.state();
        state.count(Instant::now());
        let ms = |doing: Doing| state.sums[doing as usize].as_secs_f64() * 1000.0;
        SpentObject {
            disk_ms: ms(Doing::Disk),
            limit_ms: ms(Doing::Limit),
            stream_ms: ms(Doing::Stream),
            work_ms: ms(Doing::Work),
        }
    }

    fn turn_to(&self, doing: Doing) -> Doing {
        let now = Instant::now();
        let mut state = self.state();
        state.count(now);
        std::mem::replace(&mut state.doing, doing)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn count(&mut self, now: Instant) {
        self.sums[self.doing as usize] += now.saturating_duration_since(self.since);
        self.since = now;
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.spent.turn_to(self.before);
    }
}

/// Where the time of a stream's calls went; see `SpentTime` in `engine.ts`.
#[napi(object)]
pub struct SpentObject {
    /// In calls of the file system.
    pub disk_ms: f64,
    /// At limiters.
    pub limit_ms: f64,
    /// Waiting for the connection.
    pub stream_ms: f64,
    /// All the rest.
    pub work_ms: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_under_way_counts_and_ends_with_what_was_before() {
        let spent = Spent::default();
        let work = spent.enter(Doing::Work);
        let disk = spent.enter(Doing::Disk);
        while spent.so_far().disk_ms == 0.0 {}
        let during = spent.so_far();

        drop(disk);
        assert_eq!(spent.state().doing, Doing::Work);
        drop(work);
        assert_eq!(spent.state().doing, Doing::Nothing);

        assert!(during.disk_ms > 0.0 && during.limit_ms + during.stream_ms == 0.0);
    }

    #[test]
    fn no_more_is_taken_for_the_disks_than_was_work() {
        let spent = Spent::default();
        drop(spent.enter(Doing::Work));
        let before = spent.so_far();

        spent.was_disk(Duration::from_secs(60));

        let after = spent.so_far();
        assert!(after.work_ms == 0.0 && after.disk_ms == before.work_ms);
    }
}
