//! An authenticated, encrypted connection to one peer.

use std::sync::{Arc, Mutex, PoisonError};

use iroh::{
    TransportAddr,
    endpoint::{self, ConnectionError, VarInt, WeakConnectionHandle},
};
use napi::bindgen_prelude::{Buffer, Uint8Array};
use napi_derive::napi;
use tokio::sync::Semaphore;

use crate::{
    error::{EngineError, Result},
    lane::{BidirectionalStream, ReceiveStream, SendStream},
    stream::{ReceiveHalf, SendHalf, error_number},
};

/// What the connections of an endpoint share with it.
pub struct Shared {
    /// Permits for writing files.
    disk: Arc<Semaphore>,
    open: Mutex<Vec<WeakConnectionHandle>>,
}

impl Shared {
    /// Starts with no connection and so many permits for writing files.
    pub fn new(permits: usize) -> Self {
        let disk = Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS)));
        Self { disk, open: Mutex::new(Vec::new()) }
    }

    /// Closes all connections that JavaScript holds, without a word.
    pub fn close_all(&self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        for connection in open.drain(..).filter_map(|weak| weak.upgrade()) {
            connection.close(VarInt::from_u32(0), b"");
        }
    }

    fn add(&self, connection: &endpoint::Connection) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|weak| weak.upgrade().is_some_and(|open| open.close_reason().is_none()));
        open.push(connection.weak_handle());
    }
}

/// A connection to one peer; see `Connection` in `engine.ts`.
#[napi]
pub struct Connection {
    inner: endpoint::Connection,
    shared: Arc<Shared>,
    /// What this side closed it with; QUIC does not keep that.
    closed_with: Mutex<Option<(f64, String)>>,
}

/// How a connection ended.
#[napi(object)]
pub struct CloseReason {
    /// `peer`, `local` or `lost`.
    pub by: String,
    /// The application's error number.
    pub code: f64,
    /// Text for people; hostile when `by` is `peer`.
    pub reason: String,
}

/// Counters of a connection since its start.
#[napi(object)]
pub struct ConnectionStats {
    /// The selected path's far address.
    pub remote_address: String,
    /// Smoothed round-trip time of that path.
    pub rtt_ms: f64,
    /// What that path may have in flight.
    pub congestion_window_bytes: f64,
    /// QUIC packets lost, on all paths.
    pub lost_packets: f64,
    /// QUIC packets sent, on all paths.
    pub sent_packets: f64,
    /// UDP payload bytes sent, on all paths.
    pub sent_bytes: f64,
    /// UDP payload bytes received, on all paths.
    pub received_bytes: f64,
    /// Largest UDP payload of the selected path.
    pub path_mtu_bytes: f64,
}

impl Connection {
    /// Gives a connection to JavaScript; its streams share the endpoint's permits for the disk.
    pub fn new(inner: endpoint::Connection, shared: Arc<Shared>) -> Self {
        shared.add(&inner);
        Self { inner, shared, closed_with: Mutex::new(None) }
    }

    fn both_ways(
        &self,
        (send, receive): (endpoint::SendStream, endpoint::RecvStream),
    ) -> BidirectionalStream {
        let receive = ReceiveHalf::new(receive, Arc::clone(&self.shared.disk));
        BidirectionalStream::new(SendHalf::new(send), receive)
    }

    fn reason(&self, error: ConnectionError) -> CloseReason {
        let (by, code, reason) = match error {
            ConnectionError::ApplicationClosed(close) => {
                let reason = String::from_utf8_lossy(&close.reason).into_owned();
                ("peer", close.error_code.into_inner() as f64, reason)
            }
            ConnectionError::LocallyClosed => {
                let said = self.closed_with.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let (code, reason) = said.unwrap_or_default();
                ("local", code, reason)
            }
            other => ("lost", 0.0, EngineError::from(other).text()),
        };
        CloseReason { by: by.to_owned(), code, reason }
    }
}

#[napi]
impl Connection {
    /// The peer's public key, 64 lower-case hex digits.
    #[napi(getter)]
    pub fn peer_id(&self) -> String {
        self.inner.remote_id().to_string()
    }

    /// Opens a stream both ways.
    #[napi]
    pub async fn open_bidirectional(&self) -> Result<BidirectionalStream> {
        Ok(self.both_ways(self.inner.open_bi().await?))
    }

    /// Returns the peer's next stream both ways.
    #[napi]
    pub async fn accept_bidirectional(&self) -> Result<BidirectionalStream> {
        Ok(self.both_ways(self.inner.accept_bi().await?))
    }

    /// Opens a stream to the peer.
    #[napi]
    pub async fn open_unidirectional(&self) -> Result<SendStream> {
        Ok(SendStream::new(SendHalf::new(self.inner.open_uni().await?)))
    }

    /// Returns the peer's next stream to this side.
    #[napi]
    pub async fn accept_unidirectional(&self) -> Result<ReceiveStream> {
        let stream = self.inner.accept_uni().await?;
        Ok(ReceiveStream::new(ReceiveHalf::new(stream, Arc::clone(&self.shared.disk))))
    }

    /// Returns 32 bytes of keying material of the TLS session (RFC 8446, 7.5).
    #[napi]
    pub fn export_keying_material(&self, label: String, context: Uint8Array) -> napi::Result<Buffer> {
        let mut output = vec![0; 32];
        self.inner
            .export_keying_material(&mut output, label.as_bytes(), &context)
            .map_err(|_| EngineError::argument("no keying material can be had for this label"))?;
        Ok(output.into())
    }

    /// Returns the counters.
    #[napi]
    pub fn stats(&self) -> ConnectionStats {
        let total = self.inner.stats();
        let paths = self.inner.paths();
        let path = paths.iter().find(endpoint::Path::is_selected).or_else(|| paths.iter().next());
        let on_path = path.as_ref().map(endpoint::Path::stats).unwrap_or_default();
        let remote_address = match path.as_ref().map(endpoint::Path::remote_addr) {
            Some(TransportAddr::Ip(address)) => address.to_string(),
            _ => String::new(),
        };
        ConnectionStats {
            remote_address,
            rtt_ms: on_path.rtt.as_secs_f64() * 1000.0,
            congestion_window_bytes: on_path.cwnd as f64,
            lost_packets: total.lost_packets as f64,
            sent_packets: total.sent_packets as f64,
            sent_bytes: total.udp_tx.bytes as f64,
            received_bytes: total.udp_rx.bytes as f64,
            path_mtu_bytes: on_path.current_mtu.into(),
        }
    }

    /// Resolves when the connection has ended.
    #[napi]
    pub async fn closed(&self) -> Result<CloseReason> {
        let error = self.inner.closed().await;
        Ok(self.reason(error))
    }

    /// Ends the connection at once; what was said first counts.
    #[napi]
    pub fn close(&self, code: f64, reason: String) -> napi::Result<()> {
        let number = error_number(code)?;
        let mut said = self.closed_with.lock().unwrap_or_else(PoisonError::into_inner);
        if said.is_none() {
            self.inner.close(number, reason.as_bytes());
            *said = Some((code, reason));
        }
        Ok(())
    }
}
