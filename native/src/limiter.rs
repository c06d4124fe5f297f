//! Holds bytes back to a rate: a token bucket, and chains of them. Knows nothing of who limits whom.

use std::{
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::Duration,
};

use napi_derive::napi;
use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use crate::error::{EngineError, Result};

/// What may be made up for after a wait that took too long, as timers and busy processors do.
///
/// 4 % of the 2 s over which a limit is judged.
const CATCH_UP: Duration = Duration::from_millis(80);
/// How much passes at once: what the rate gives in this time, so that it flows and does not come in bursts.
const STEP: Duration = Duration::from_millis(2);
/// A packet's worth: less at once would only make small packets.
const SMALLEST_STEP: f64 = 1200.0;
/// What is read and written at once elsewhere.
const LARGEST_STEP: f64 = 65_536.0;

/// JavaScript's handle of a limit; see `RateLimiter` in `engine.ts`.
#[napi]
pub struct RateLimiter {
    bucket: Arc<Bucket>,
}

#[napi]
impl RateLimiter {
    /// Begins without a limit.
    #[napi(constructor)]
    #[allow(
        clippy::new_without_default,
        reason = "napi makes JavaScript's constructor of it"
    )]
    pub fn new() -> Self {
        Self {
            bucket: Arc::new(Bucket::new()),
        }
    }

    /// Sets bytes a second: infinite lets everything pass, 0 nothing.
    #[napi]
    pub fn set_rate(&self, bytes_per_second: f64) -> napi::Result<()> {
        if bytes_per_second.is_nan() || bytes_per_second < 0.0 {
            let text = format!("rate: {bytes_per_second} is no number of bytes from 0 up");
            return Err(EngineError::argument(text).into());
        }
        self.bucket.set_rate(bytes_per_second);
        Ok(())
    }
}

impl RateLimiter {
    /// What it limits by.
    pub fn bucket(&self) -> Arc<Bucket> {
        Arc::clone(&self.bucket)
    }
}

/// A rate, and since when it is used up.
pub struct Bucket {
    state: Mutex<State>,
    changed: Notify,
    /// Who waits passes in the order of coming.
    turn: tokio::sync::Mutex<()>,
}

struct State {
    rate: f64,
    /// When what has passed was due.
    due: Instant,
}

/// When bytes may pass.
enum Passage {
    Now,
    At(Instant),
    Never,
}

impl Bucket {
    fn new() -> Self {
        Self {
            state: Mutex::new(State {
                rate: f64::INFINITY,
                due: Instant::now(),
            }),
            changed: Notify::new(),
            turn: tokio::sync::Mutex::new(()),
        }
    }

    fn set_rate(&self, rate: f64) {
        let now = Instant::now();
        let mut state = self.state();
        state.rate = rate;
        // What passed under the old rate is not held against the new one.
        state.due = state.due.min(now);
        drop(state);
        self.changed.notify_waiters();
    }

    fn rate(&self) -> f64 {
        self.state().rate
    }

    /// Waits until so many bytes may pass.
    async fn pass(&self, bytes: f64) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // From here on no change is missed.
            changed.as_mut().enable();
            match self.passage(bytes) {
                Passage::Now => return,
                Passage::Never => changed.await,
                Passage::At(due) => tokio::select! {
                    () = changed => {}
                    () = sleep_until(due) => {}
                },
            }
        }
    }

    fn passage(&self, bytes: f64) -> Passage {
        let now = Instant::now();
        let mut state = self.state();
        if state.rate.is_infinite() {
            return Passage::Now;
        }
        if state.rate == 0.0 {
            return Passage::Never;
        }
        if let Some(earliest) = now.checked_sub(CATCH_UP) {
            state.due = state.due.max(earliest);
        }
        if state.due > now {
            return Passage::At(state.due);
        }
        let seconds = (bytes / state.rate).min(LONGEST_DEBT);
        state.due += Duration::from_secs_f64(seconds);
        Passage::Now
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Seconds that one step may cost: a rate next to nothing is no reason for a time that no clock has.
const LONGEST_DEBT: f64 = 3600.0;

/// The limits that a stream's bytes pass, one after the other, from its own to the widest.
#[derive(Default)]
pub struct Chain {
    buckets: OnceLock<Vec<Arc<Bucket>>>,
}

impl Chain {
    /// Begins with these limits; a chain gets them once.
    pub fn set(&self, buckets: Vec<Arc<Bucket>>) -> Result<()> {
        self.buckets
            .set(buckets)
            .map_err(|_| EngineError::argument("the stream has its limiters already"))
    }

    /// How much should pass at once; nothing is said where there is no limit.
    pub fn step(&self) -> Option<usize> {
        let slowest = self.rates().fold(f64::INFINITY, f64::min);
        let step = (slowest * STEP.as_secs_f64()).clamp(SMALLEST_STEP, LARGEST_STEP);
        slowest.is_finite().then_some(step as usize)
    }

    /// Waits until so many bytes may pass all limits.
    ///
    /// Who waits at a wider limit keeps its turn at the narrower ones: so those that share a wide limit
    /// share it evenly, whatever the number of their streams.
    pub async fn pass(&self, bytes: usize) {
        let Some(buckets) = self.buckets.get() else {
            return;
        };
        if self.rates().all(f64::is_infinite) {
            return;
        }
        let mut turns = Vec::with_capacity(buckets.len());
        for bucket in buckets {
            turns.push(bucket.turn.lock().await);
            bucket.pass(bytes as f64).await;
        }
    }

    fn rates(&self) -> impl Iterator<Item = f64> {
        let buckets = self.buckets.get().map_or(&[][..], Vec::as_slice);
        buckets.iter().map(|bucket| bucket.rate())
    }
}

#[cfg(test)]
mod tests;
