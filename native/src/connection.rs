//! JavaScript's handle of an authenticated, encrypted connection to one peer.

use std::{sync::Arc, time::Duration};

use iroh::endpoint;
use napi::bindgen_prelude::{Buffer, Uint8Array};
use napi_derive::napi;
use tokio_util::sync::CancellationToken;

use crate::{
    congestion::KnownPath,
    early::FirstStream,
    error::{EngineError, Result},
    held::{CloseReason, ConnectionStats, Held},
    lane::{BidirectionalStream, ReceiveStream, SendStream},
    piece::exact,
    registry::Registry,
    transport::var_int,
};

/// What a peer may send; see `PeerLimits` in `engine.ts`.
#[napi(object)]
pub struct PeerLimits {
    /// Bytes that it may have sent and nobody has read.
    pub receive_window_bytes: f64,
    /// Streams of either kind that it may have open at once.
    pub max_streams: f64,
}

/// What is known of a path; see `PathFigures` in `engine.ts`.
#[napi(object)]
pub struct PathFigures {
    /// Its round trip.
    pub rtt_ms: f64,
    /// What it carried.
    pub rate_bytes_per_second: f64,
}

/// A connection to one peer; see `Connection` in `engine.ts`.
#[napi]
pub struct Connection {
    held: Arc<Held>,
    registry: Arc<Registry>,
    peer_id: String,
    admitted: CancellationToken,
    /// A stream that this side opened with the first flight.
    opened: FirstStream,
    /// A stream that the peer opened so, and that nobody has taken yet.
    accepted: FirstStream,
}

impl Connection {
    /// Gives a connection to JavaScript; `admitted` is fired when the peer is no stranger any more.
    pub fn new(
        inner: endpoint::Connection,
        registry: Arc<Registry>,
        admitted: CancellationToken,
    ) -> Self {
        Self {
            peer_id: inner.remote_id().to_string(),
            held: registry.connection(inner),
            registry,
            admitted,
            opened: FirstStream::default(),
            accepted: FirstStream::default(),
        }
    }

    /// Adds the stream that this side opened with the first flight, if there is one.
    pub fn opened(self, stream: Option<(endpoint::SendStream, endpoint::RecvStream)>) -> Self {
        let Some((send, receive)) = stream else {
            return self;
        };
        let opened = FirstStream::new(&self.registry, send, receive);
        Self { opened, ..self }
    }

    /// Adds the stream that the peer opened with its first flight.
    pub fn accepted(self, accepted: FirstStream) -> Self {
        Self { accepted, ..self }
    }

    fn both_ways(
        &self,
        (send, receive): (endpoint::SendStream, endpoint::RecvStream),
    ) -> BidirectionalStream {
        let receive = self.registry.receive_half(receive);
        BidirectionalStream::new(self.registry.send_half(send), receive)
    }
}

#[napi]
impl Connection {
    /// The peer's public key, 64 lower-case hex digits.
    #[napi(getter)]
    pub fn peer_id(&self) -> String {
        self.peer_id.clone()
    }

    /// Takes the peer off the strangers and lets it send so much.
    #[napi]
    pub fn admit(&self, limits: PeerLimits) -> napi::Result<()> {
        let streams = var_int("streams", limits.max_streams)?;
        let window = var_int("receive window", limits.receive_window_bytes)?;
        let Ok(inner) = self.held.open() else {
            return Ok(());
        };
        inner.set_max_concurrent_bi_streams(streams);
        inner.set_max_concurrent_uni_streams(streams);
        inner.set_receive_window(window);
        self.admitted.cancel();
        Ok(())
    }

    /// Returns the stream that this side opened with the first flight, once.
    #[napi]
    pub fn take_early(&self) -> Option<BidirectionalStream> {
        self.opened.take()
    }

    /// Opens a stream both ways.
    #[napi]
    pub async fn open_bidirectional(&self) -> Result<BidirectionalStream> {
        Ok(self.both_ways(self.held.of(self.held.open()?.open_bi().await)?))
    }

    /// Returns the peer's next stream both ways.
    #[napi]
    pub async fn accept_bidirectional(&self) -> Result<BidirectionalStream> {
        if let Some(first) = self.accepted.take() {
            return Ok(first);
        }
        Ok(self.both_ways(self.held.of(self.held.open()?.accept_bi().await)?))
    }

    /// Opens a stream to the peer.
    #[napi]
    pub async fn open_unidirectional(&self) -> Result<SendStream> {
        Ok(SendStream::new(self.registry.send_half(
            self.held.of(self.held.open()?.open_uni().await)?,
        )))
    }

    /// Returns the peer's next stream to this side.
    #[napi]
    pub async fn accept_unidirectional(&self) -> Result<ReceiveStream> {
        let stream = self.held.of(self.held.open()?.accept_uni().await)?;
        Ok(ReceiveStream::new(self.registry.receive_half(stream)))
    }

    /// Returns 32 bytes of keying material of the TLS session (RFC 8446, 7.5).
    #[napi]
    pub fn export_keying_material(
        &self,
        label: String,
        context: Uint8Array,
    ) -> napi::Result<Buffer> {
        let mut output = vec![0; 32];
        self.held
            .open()?
            .export_keying_material(&mut output, label.as_bytes(), &context)
            .map_err(|_| EngineError::argument("no keying material can be had for this label"))?;
        Ok(output.into())
    }

    /// Lets the selected path start near a rate that it had.
    #[napi]
    pub fn know_path(&self, figures: PathFigures) -> napi::Result<()> {
        let rtt = Duration::try_from_secs_f64(figures.rtt_ms / 1000.0)
            .map_err(|_| EngineError::argument(format!("round trip: {} ms", figures.rtt_ms)))?;
        let rate = exact("rate", figures.rate_bytes_per_second)?;
        self.held.know_path(KnownPath { rtt, rate });
        Ok(())
    }

    /// Returns the counters.
    #[napi]
    pub fn stats(&self) -> ConnectionStats {
        self.held.stats()
    }

    /// Resolves when the connection has ended.
    #[napi]
    pub async fn closed(&self) -> Result<CloseReason> {
        Ok(self.held.closed().await)
    }

    /// Ends the connection at once.
    #[napi]
    pub fn close(&self, code: f64, reason: String) -> napi::Result<()> {
        let number = u32::try_from(exact("error number", code)?)
            .map_err(|_| EngineError::argument(format!("error number: {code} is too large")))?;
        self.held.close(number, &reason);
        Ok(())
    }
}
