//! Where an endpoint's network is driven: by the threads that all endpoints share, or by one of its own.

use std::{
    future::Future,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::{
    runtime::{Builder, Handle, Runtime, RuntimeMetrics},
    task::JoinHandle,
};

use crate::error::{EngineError, Result};

/// Runs what belongs to an endpoint where the endpoint is driven.
#[derive(Clone, Default)]
pub struct Home {
    /// None for the threads that are shared.
    own: Option<Handle>,
}

impl Home {
    /// Begins work there that goes on by itself.
    pub fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        match &self.own {
            None => tokio::spawn(work),
            Some(thread) => thread.spawn(work),
        }
    }

    /// Does the work there; it must touch nothing that others wait for.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T> {
        match &self.own {
            None => Ok(work.await),
            Some(thread) => Ok(thread.spawn(work).await?),
        }
    }
}

/// A thread that drives one endpoint; it ends when this is dropped, whatever it is at.
pub struct OwnThread {
    runtime: Option<Runtime>,
    place: usize,
}

impl OwnThread {
    /// Starts the thread.
    pub fn start() -> Result<Self> {
        // Of many threads by its kind, as only those can do without one that waits for a disk.
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("quiver-own")
            .enable_all()
            .build()
            .map_err(|error| {
                EngineError::argument(format!("no thread could be started: {error}"))
            })?;
        let place = count(runtime.metrics());
        Ok(Self {
            runtime: Some(runtime),
            place,
        })
    }

    /// Where the endpoint is driven.
    pub fn home(&self) -> Home {
        Home {
            own: self.runtime.as_ref().map(|own| own.handle().clone()),
        }
    }
}

impl Drop for OwnThread {
    fn drop(&mut self) {
        if let Some(count) = counts().get_mut(self.place) {
            count.rest();
        }
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// How long threads have not been waiting, one after the other in the same place.
#[derive(Default)]
struct Count {
    before_ms: f64,
    now: Option<RuntimeMetrics>,
}

impl Count {
    fn busy_ms(&self) -> f64 {
        let busy = |metrics: &RuntimeMetrics| metrics.worker_total_busy_duration(0);
        self.before_ms
            + self
                .now
                .as_ref()
                .map_or(0.0, |now| busy(now).as_secs_f64() * 1000.0)
    }

    /// Keeps what it has until another thread takes its place.
    fn rest(&mut self) {
        self.before_ms = self.busy_ms();
        self.now = None;
    }
}

/// Counts a thread, in the place of one that has ended if there is such, and returns the place.
fn count(metrics: RuntimeMetrics) -> usize {
    let mut counts = counts();
    let free = counts.iter().position(|count| count.now.is_none());
    let place = free.unwrap_or(counts.len());
    if free.is_none() {
        counts.push(Count::default());
    }
    counts[place].now = Some(metrics);
    place
}

/// How long each of these threads has not been waiting, in milliseconds; never less than before.
pub fn busy_ms() -> Vec<f64> {
    counts().iter().map(Count::busy_ms).collect()
}

fn counts() -> MutexGuard<'static, Vec<Count>> {
    COUNTS.lock().unwrap_or_else(PoisonError::into_inner)
}

static COUNTS: Mutex<Vec<Count>> = Mutex::new(Vec::new());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_is_done_on_the_endpoints_own_thread() {
        let thread = OwnThread::start().unwrap();
        let shared = Builder::new_current_thread().build().unwrap();
        let name = || std::thread::current().name().map(str::to_owned);

        let own = shared.block_on(thread.home().run(async move { name() }));
        let here = shared.block_on(Home::default().run(async move { name() }));

        assert_eq!(own.unwrap().as_deref(), Some("quiver-own"));
        assert_eq!(here.unwrap(), name());
    }

    #[test]
    fn a_thread_that_has_ended_does_no_work_and_is_no_less_counted() {
        let thread = OwnThread::start().unwrap();
        let home = thread.home();
        let place = thread.place;
        let before = busy_ms()[place];

        drop(thread);

        let shared = Builder::new_current_thread().build().unwrap();
        assert!(shared.block_on(home.run(async {})).is_err());
        assert!(busy_ms()[place] >= before);
    }
}
