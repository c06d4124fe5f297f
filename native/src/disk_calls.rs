//! Calls of the file system on the threads that drive the network.
//!
//! To hand each one to another thread would cost a third of the speed. But a disk that takes long must hold up
//! nothing else, so where one call was slow the next is made apart from what else there is to do.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// The calls for one file, or one stream of small ones.
#[derive(Default)]
pub struct DiskCalls {
    is_slow: AtomicBool,
}

/// Says how long a call takes that is slow; the first word of a process holds.
pub fn set_slow(slow: Duration) {
    SLOW.get_or_init(|| slow);
}

impl DiskCalls {
    /// Makes a call. If the last one was slow, other tasks of this thread go on elsewhere meanwhile.
    pub fn run<T>(&self, call: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let result = if self.is_slow.load(Ordering::Relaxed) {
            tokio::task::block_in_place(call)
        } else {
            call()
        };
        let is_slow = SLOW.get().is_some_and(|slow| started.elapsed() > *slow);
        self.is_slow.store(is_slow, Ordering::Relaxed);
        result
    }
}

static SLOW: OnceLock<Duration> = OnceLock::new();

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// A call that waits for another task of the only thread would wait for ever if that had to wait, too.
    #[test]
    fn the_other_tasks_go_on_while_a_slow_disk_is_called() {
        set_slow(Duration::ZERO);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .build()
            .expect("a runtime");
        let (sender, receiver) = mpsc::channel();
        let calling = runtime.spawn(async move {
            let calls = DiskCalls::default();
            calls.run(|| std::thread::sleep(Duration::from_millis(1)));
            tokio::spawn(async move { sender.send(()) });
            calls.run(|| receiver.recv_timeout(Duration::from_secs(10)))
        });
        assert_eq!(runtime.block_on(calling).expect("no panic"), Ok(()));
    }
}
