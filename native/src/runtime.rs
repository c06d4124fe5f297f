//! The threads that drive the network.

use std::{sync::OnceLock, time::Duration};

use napi::bindgen_prelude::{
    create_custom_tokio_runtime, shutdown_async_runtime, start_async_runtime,
};
use napi_derive::napi;
use tokio::runtime::RuntimeMetrics;

use crate::{
    disk_calls,
    error::{EngineError, Result},
    home,
};

/// What the runtime must be told.
#[napi(object)]
pub struct RuntimeOptions {
    /// Threads that drive all endpoints of the process but those with a thread of their own.
    pub worker_threads: u32,
    /// From how many milliseconds on a call of the file system is slow, so that it keeps none of them any longer.
    pub slow_disk_call_ms: u32,
}

/// More would only take time from each other.
const MOST_THREADS: u32 = 256;

/// Starts the runtime with so many threads; only the first call of a process has an effect.
///
/// napi-rs has started one of its own when the addon was loaded, so this must come before the
/// first asynchronous call: whatever runs on that one would be cut off.
#[napi]
pub fn start_runtime(options: RuntimeOptions) -> napi::Result<()> {
    let threads = options.worker_threads;
    if !(1..=MOST_THREADS).contains(&threads) {
        let text = format!("worker threads: {threads}; 1 to {MOST_THREADS} can be had");
        return Err(EngineError::argument(text).into());
    }
    if STARTED.set(()).is_err() {
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(options.worker_threads as usize)
        .thread_name("quiver")
        .enable_all()
        .build()
        .map_err(|error| EngineError::argument(format!("no runtime could be started: {error}")))?;
    disk_calls::set_slow(Duration::from_millis(options.slow_disk_call_ms.into()));
    // Before the runtime is given away: only it knows its threads.
    METRICS.set(runtime.metrics()).ok();
    create_custom_tokio_runtime(runtime);
    shutdown_async_runtime();
    start_async_runtime();
    Ok(())
}

/// Returns how long each thread that drives the network has not been waiting, in milliseconds.
#[napi]
pub fn busy_ms() -> Vec<f64> {
    let Some(metrics) = METRICS.get() else {
        return Vec::new();
    };
    (0..metrics.num_workers())
        .map(|worker| metrics.worker_total_busy_duration(worker).as_secs_f64() * 1000.0)
        .chain(home::busy_ms())
        .collect()
}

/// Runs a blocking call, of a file system in most cases, on a thread of its own.
pub async fn blocking<T: Send + 'static>(
    call: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(call).await?
}

static STARTED: OnceLock<()> = OnceLock::new();
static METRICS: OnceLock<RuntimeMetrics> = OnceLock::new();
