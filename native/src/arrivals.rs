//! Takes the peers that dial: each shakes hands by itself, so that a slow one keeps nobody else waiting.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use iroh::endpoint::{self, Incoming, IncomingAddr, VarInt};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::strangers::{Place, Strangers, Verdict};

/// A connection whose handshake is done and that nobody has admitted yet.
pub struct Arrival {
    /// The connection itself.
    pub connection: endpoint::Connection,
    /// To be fired when it is admitted.
    pub admitted: CancellationToken,
}

/// Takes peers until the endpoint is closed.
pub async fn accept_all(
    inner: endpoint::Endpoint,
    ready: mpsc::Sender<Arrival>,
    strangers: Arc<Strangers>,
    timeout: Duration,
) {
    while let Some(incoming) = inner.accept().await {
        let ip = match incoming.remote_addr() {
            IncomingAddr::Ip(address) => Some(address.ip()),
            _ => None,
        };
        match strangers.enter(ip, incoming.remote_addr_validated(), Instant::now()) {
            Verdict::Refuse => incoming.refuse(),
            Verdict::Retry => {
                // It fails for none but a validated address, which is not asked.
                let _ = incoming.retry();
            }
            Verdict::Enter(place) => {
                tokio::spawn(receive(incoming, place, ready.clone(), timeout));
            }
        }
    }
}

/// Looks after a stranger until it is admitted or gone.
async fn receive(
    incoming: Incoming,
    place: Place,
    ready: mpsc::Sender<Arrival>,
    timeout: Duration,
) {
    let handshake = tokio::time::timeout(timeout, shake_hands(incoming));
    let met = tokio::select! {
        () = place.evicted.cancelled() => return,
        met = handshake => met,
    };
    // A handshake that fails concerns only the peer that began it.
    let Ok(Some(connection)) = met else { return };
    let stranger = connection.weak_handle();
    let closed = stranger.closed();
    let admitted = CancellationToken::new();
    let arrival = Arrival {
        connection,
        admitted: admitted.clone(),
    };
    // A connection that nobody takes is dropped, and so closed.
    let taken = tokio::select! {
        () = place.evicted.cancelled() => return,
        taken = tokio::time::timeout(timeout, ready.send(arrival)) => taken,
    };
    if !matches!(taken, Ok(Ok(()))) {
        return;
    }
    tokio::select! {
        biased;
        () = admitted.cancelled() => return place.forgive(),
        _ = closed => {}
        () = place.evicted.cancelled() => {
            if let Some(connection) = stranger.upgrade() {
                connection.close(VarInt::from_u32(0), b"too many strangers");
            }
        }
    }
    place.blame(Instant::now());
}

async fn shake_hands(incoming: Incoming) -> Option<endpoint::Connection> {
    incoming.accept().ok()?.await.ok()
}
