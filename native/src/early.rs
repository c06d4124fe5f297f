//! What travels in a connection's first flight, before the handshake is complete (0-RTT, RFC 9001, 4.6).

use std::{
    collections::VecDeque,
    future::ready,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use iroh::endpoint::{
    self, Connecting, ConnectingError, IncomingZeroRttConnection, RecvStream, SendStream,
    ZeroRttStatus,
};
use napi_derive::napi;
use tokio::sync::{Mutex as AsyncMutex, oneshot};

use crate::{
    connection::Connection,
    error::{Code, EngineError, Result},
    lane::BidirectionalStream,
    registry::Registry,
};

/// A stream that waits for whoever takes it first.
#[derive(Clone, Default)]
pub struct FirstStream(Arc<Mutex<Option<BidirectionalStream>>>);

impl FirstStream {
    /// Holds a stream that was opened or accepted already.
    pub fn new(registry: &Registry, send: SendStream, receive: RecvStream) -> Self {
        let receive = registry.receive_half(receive);
        let stream = BidirectionalStream::new(registry.send_half(send), receive);
        Self(Arc::new(Mutex::new(Some(stream))))
    }

    /// Returns the stream the first time.
    pub fn take(&self) -> Option<BidirectionalStream> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A dialled connection, and the stream whose first bytes the peer took before the handshake was complete.
pub type Dialled = (endpoint::Connection, Option<(SendStream, RecvStream)>);

/// Ends a handshake; bytes, if there are any, go in its first flight if an earlier connection left a session for that.
pub async fn complete(
    connecting: Connecting,
    bytes: Option<&[u8]>,
) -> std::result::Result<Dialled, ConnectingError> {
    let Some(bytes) = bytes else {
        return Ok((connecting.await?, None));
    };
    let early = match connecting.into_0rtt() {
        Ok(early) => early,
        Err(connecting) => return Ok((connecting.await?, None)),
    };
    // One that the peer's limits allow now; later ones have missed the flight.
    let opened = tokio::select! {
        biased;
        opened = early.open_bi() => opened.ok(),
        () = ready(()) => None,
    };
    let Some((mut send, receive)) = opened else {
        let (ZeroRttStatus::Accepted(connection) | ZeroRttStatus::Rejected(connection)) =
            early.handshake_completed().await?;
        return Ok((connection, None));
    };
    // A write that fails shows at the stream's next use.
    let (status, _) = tokio::join!(early.handshake_completed(), send.write_all(bytes));
    Ok(match status? {
        ZeroRttStatus::Accepted(connection) => (connection, Some((send, receive))),
        ZeroRttStatus::Rejected(connection) => (connection, None),
    })
}

/// A call whose first bytes came before its handshake was complete; see `EarlyCall` in `engine.ts`.
#[napi]
pub struct EarlyCall {
    peer_id: String,
    first: FirstStream,
    proven: AsyncMutex<oneshot::Receiver<Connection>>,
}

#[napi]
impl EarlyCall {
    /// Whose session it resumes.
    #[napi(getter)]
    pub fn peer_id(&self) -> String {
        self.peer_id.clone()
    }

    /// Returns the stream that it came on, once.
    #[napi]
    pub fn take_stream(&self) -> napi::Result<BidirectionalStream> {
        let taken = || EngineError::cancelled("stream");
        Ok(self.first.take().ok_or_else(taken)?)
    }

    /// Resolves with the connection when its handshake is complete, once.
    #[napi]
    pub async fn proven(&self) -> Result<Connection> {
        let mut proven = self.proven.lock().await;
        (&mut *proven).await.map_err(|_| {
            let text = "the handshake of an early call was not completed";
            EngineError::new(Code::ConnectionLost, text)
        })
    }
}

/// Those who wait for early calls.
#[derive(Default)]
pub struct EarlyWaiters(Mutex<VecDeque<oneshot::Sender<EarlyCall>>>);

impl EarlyWaiters {
    /// Waits for the next call.
    pub fn wait(&self) -> oneshot::Receiver<EarlyCall> {
        let (waiter, call) = oneshot::channel();
        self.queue().push_back(waiter);
        call
    }

    /// Hands a call to who has waited longest, and returns where its connection is to go then.
    pub fn offer(
        &self,
        call: &IncomingZeroRttConnection,
        first: &FirstStream,
    ) -> Option<oneshot::Sender<Connection>> {
        let (prove, proven) = oneshot::channel();
        let mut call = EarlyCall {
            peer_id: call.remote_id().ok()?.to_string(),
            first: first.clone(),
            proven: AsyncMutex::new(proven),
        };
        loop {
            let waiter = self.queue().pop_front()?;
            // One that waits no longer gives the call back.
            match waiter.send(call) {
                Ok(()) => return Some(prove),
                Err(returned) => call = returned,
            }
        }
    }

    fn queue(&self) -> MutexGuard<'_, VecDeque<oneshot::Sender<EarlyCall>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
