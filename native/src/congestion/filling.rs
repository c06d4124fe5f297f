//! Counts whether a path was full, for any controller: what arrived while nothing was left to send says that
//! something else than the path held the sender.

use std::{
    any::Any,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use iroh::endpoint::{Controller, ControllerFactory, ControllerMetrics, RttEstimator};

/// Makes another factory's controllers, each with its counts.
pub struct CountingFactory(pub Arc<dyn ControllerFactory + Send + Sync>);

impl ControllerFactory for CountingFactory {
    fn build(self: Arc<Self>, now: Instant, current_mtu: u16) -> Box<dyn Controller> {
        Box::new(Counting {
            inner: Arc::clone(&self.0).build(now, current_mtu),
            filling: Arc::default(),
            group: 0,
        })
    }
}

/// Bytes that arrived over a path.
#[derive(Debug, Default)]
pub struct Filling {
    delivered: AtomicU64,
    unfilled: AtomicU64,
}

impl Filling {
    /// All of them.
    pub fn delivered(&self) -> u64 {
        self.delivered.load(Ordering::Relaxed)
    }

    /// Those that arrived when neither the window nor the pace of the path held more back.
    pub fn unfilled(&self) -> u64 {
        self.unfilled.load(Ordering::Relaxed)
    }
}

/// A controller and its counts, which its copies share.
#[derive(Debug)]
pub struct Counting {
    inner: Box<dyn Controller>,
    filling: Arc<Filling>,
    /// Bytes of the acknowledgements that are being taken.
    group: u64,
}

impl Counting {
    /// The counts of a controller's path, and the controller itself.
    pub fn parts(self) -> (Arc<Filling>, Box<dyn Any>) {
        (self.filling, self.inner.into_any())
    }
}

impl Controller for Counting {
    fn on_sent(&mut self, now: Instant, bytes: u64, largest_pn: u64) {
        self.inner.on_sent(now, bytes, largest_pn);
    }

    fn on_packet_sent(&mut self, now: Instant, bytes: u16, pn: u64) {
        self.inner.on_packet_sent(now, bytes, pn);
    }

    fn on_cwnd_limited(&mut self) {
        self.inner.on_cwnd_limited();
    }

    fn on_ack(
        &mut self,
        now: Instant,
        sent: Instant,
        bytes: u64,
        pn: u64,
        app_limited: bool,
        rtt: &RttEstimator,
    ) {
        self.group += bytes;
        self.inner.on_ack(now, sent, bytes, pn, app_limited, rtt);
    }

    fn on_end_acks(
        &mut self,
        now: Instant,
        in_flight: u64,
        app_limited: bool,
        largest_packet_num_acked: Option<u64>,
    ) {
        let bytes = std::mem::take(&mut self.group);
        self.filling.delivered.fetch_add(bytes, Ordering::Relaxed);
        if app_limited {
            self.filling.unfilled.fetch_add(bytes, Ordering::Relaxed);
        }
        self.inner
            .on_end_acks(now, in_flight, app_limited, largest_packet_num_acked);
    }

    fn on_congestion_event(
        &mut self,
        now: Instant,
        sent: Instant,
        is_persistent_congestion: bool,
        is_ecn: bool,
        lost_bytes: u64,
        largest_lost_pn: u64,
    ) {
        self.inner.on_congestion_event(
            now,
            sent,
            is_persistent_congestion,
            is_ecn,
            lost_bytes,
            largest_lost_pn,
        );
    }

    fn on_packet_lost(&mut self, lost_bytes: u16, pn: u64, now: Instant) {
        self.inner.on_packet_lost(lost_bytes, pn, now);
    }

    fn on_spurious_congestion_event(&mut self) {
        self.inner.on_spurious_congestion_event();
    }

    fn on_mtu_update(&mut self, new_mtu: u16) {
        self.inner.on_mtu_update(new_mtu);
    }

    fn on_ack_frequency_update(&mut self, threshold: u64, requested_max_ack_delay: Duration) {
        self.inner
            .on_ack_frequency_update(threshold, requested_max_ack_delay);
    }

    fn window(&self) -> u64 {
        self.inner.window()
    }

    fn metrics(&self) -> ControllerMetrics {
        self.inner.metrics()
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(Self {
            inner: self.inner.clone_box(),
            filling: Arc::clone(&self.filling),
            group: 0,
        })
    }

    fn initial_window(&self) -> u64 {
        self.inner.initial_window()
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}
