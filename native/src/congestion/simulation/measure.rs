//! What a transfer over a link comes to.

use std::time::{Duration, Instant};

use super::{
    flow::{Flow, PACKET_BYTES},
    link::Link,
    network::Network,
};
use crate::congestion::model::Model;

/// Figures of one transfer.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// Share of what the link can carry while the second half of the bytes arrives, without the last of it:
    /// that waits for what was lost, whatever the controller does.
    pub started: f64,
    /// Share of the link's rate from the first byte sent to the last one's arrival.
    pub whole: f64,
    /// Bytes sent for each byte of the payload.
    pub sent: f64,
    /// Mean time in the queue while the second half arrives, in round trips.
    pub queue: f64,
}

/// Of an odd number of runs the one in the middle: with chance in it, one alone is a matter of luck.
pub fn middle<T, const RUNS: usize>(runs: [T; RUNS], value: fn(&T) -> f64) -> T {
    let mut runs = Vec::from(runs);
    runs.sort_by(|one, other| value(one).total_cmp(&value(other)));
    runs.swap_remove(RUNS / 2)
}

/// Sends a payload with a fresh model that has seen a greeting, as after QUIC's handshake.
pub fn transfer(link: &Link, payload: u64) -> Figures {
    let start = Instant::now();
    transfer_with(link, payload, greeted(start, link), start)
}

/// A model that has sent one small packet and got its acknowledgement.
pub fn greeted(start: Instant, link: &Link) -> Model {
    let trip = Duration::from_secs_f64(link.delay);
    let mut model = Model::new(start - trip, PACKET_BYTES);
    model.sent(start - trip, 100, 0);
    model.acknowledged(start, start - trip, 100, 0);
    model.acknowledgements_done(start, 0, true);
    model
}

/// The same with a model of one's own.
pub fn transfer_with(link: &Link, payload: u64, model: Model, start: Instant) -> Figures {
    let flow = Flow::new(Box::new(model), 0.0, payload);
    let longest = payload as f64 / link.rate * 20.0 + 20.0;
    let (wire, flows) = Network::new(start, link.clone(), vec![flow]).run(longest);
    let flow = &flows[0];
    let arrived = flow.done - link.delay / 2.0;
    let late = flow.done - 3.0 * link.delay;
    let started = flow.rate(flow.half, late) * (late - flow.half);
    Figures {
        started: started / link.capacity(flow.half, late),
        whole: payload as f64 / link.capacity(0.0, arrived),
        sent: (flow.sent * PACKET_BYTES) as f64 / payload as f64,
        queue: wire.mean_wait(flow.half, flow.done) / link.delay,
    }
}
