//! Takes the peers that dial: each shakes hands by itself, so that a slow one keeps nobody else waiting.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use iroh::endpoint::{self, Incoming, IncomingAddr, IncomingZeroRttConnection, VarInt};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::{
    connection::Connection,
    early::{EarlyWaiters, FirstStream},
    registry::Registry,
    strangers::{Place, Strangers, Verdict},
};

/// Where those who arrive are taken to.
#[derive(Clone)]
pub struct Arrivals {
    /// For connections whose handshake is done.
    pub ready: mpsc::Sender<Connection>,
    /// For calls whose handshake is not, if somebody waits for such.
    pub early: Arc<EarlyWaiters>,
    /// What their streams share.
    pub registry: Arc<Registry>,
    /// Time for a handshake, and again for being taken.
    pub timeout: Duration,
}

/// Takes peers until the endpoint is closed.
pub async fn accept_all(inner: endpoint::Endpoint, strangers: Arc<Strangers>, arrivals: Arrivals) {
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
                tokio::spawn(receive(incoming, place, arrivals.clone()));
            }
        }
    }
}

/// Looks after a stranger until it is admitted or gone.
async fn receive(incoming: Incoming, place: Place, arrivals: Arrivals) {
    let Ok(accepting) = incoming.accept() else {
        return;
    };
    let call = accepting.into_0rtt();
    let handshake = tokio::time::timeout(arrivals.timeout, shake_hands(&call, &arrivals));
    let met = tokio::select! {
        () = place.evicted.cancelled() => None,
        met = handshake => met.ok().flatten(),
    };
    // A handshake that fails concerns only the peer that began it.
    let Some(met) = met else {
        // Who took the early call may still hold its stream.
        return call.close(VarInt::from_u32(0), b"");
    };
    drop(call);
    let stranger = met.connection.weak_handle();
    let closed = stranger.closed();
    let admitted = CancellationToken::new();
    let connection = Connection::new(met.connection, arrivals.registry, admitted.clone());
    let connection = connection.accepted(met.first);
    // A connection that nobody takes is dropped, and so closed.
    let taken = match met.caller {
        Some(caller) => caller.send(connection).is_ok(),
        None => tokio::select! {
            () = place.evicted.cancelled() => return,
            taken = tokio::time::timeout(arrivals.timeout, arrivals.ready.send(connection)) => {
                matches!(taken, Ok(Ok(())))
            }
        },
    };
    if !taken {
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

/// A connection whose handshake is done.
struct Met {
    connection: endpoint::Connection,
    /// The stream that came before that, if one did.
    first: FirstStream,
    /// Who was given the early call.
    caller: Option<oneshot::Sender<Connection>>,
}

/// Ends a handshake; a stream that comes before its end makes an early call.
async fn shake_hands(call: &IncomingZeroRttConnection, arrivals: &Arrivals) -> Option<Met> {
    let completed = call.handshake_completed();
    tokio::pin!(completed);
    let (send, receive) = tokio::select! {
        biased;
        connection = &mut completed => {
            return Some(Met {
                connection: connection.ok()?,
                first: FirstStream::default(),
                caller: None,
            });
        }
        stream = call.accept_bi() => stream.ok()?,
    };
    let is_early = receive.is_0rtt();
    let first = FirstStream::new(&arrivals.registry, send, receive);
    let caller = if is_early {
        arrivals.early.offer(call, &first)
    } else {
        None
    };
    Some(Met {
        connection: completed.await.ok()?,
        first,
        caller,
    })
}
