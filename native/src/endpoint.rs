//! One set of sockets with an identity.

use std::sync::{Arc, Mutex, PoisonError};

use iroh::{
    EndpointAddr, EndpointId, TransportAddr,
    endpoint::{self, ConnectOptions, QuicTransportConfig},
};
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;
use tokio::{
    sync::{Mutex as AsyncMutex, mpsc},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use crate::{
    arrivals::{Arrivals, accept_all},
    connection::Connection,
    early::{Dialled, EarlyCall, EarlyWaiters, complete},
    error::{Code, EngineError, Result, full_text},
    home::OwnThread,
    piece::exact,
    registry::Registry,
    sockets::{bind, ports_free, socket_address},
    strangers::{StrangerLimits, Strangers},
    transport::{Allowance, milliseconds, transport_config},
};

/// Connections that are handed over at once; all others wait with a deadline.
const READY_CONNECTIONS: usize = 1;

/// What an endpoint must be told; see `EndpointOptions` in `engine.ts`.
#[napi(object)]
pub struct EndpointOptions {
    /// The Ed25519 secret key, 32 bytes.
    pub secret_key: Uint8Array,
    /// Addresses to listen on.
    pub listen: Vec<String>,
    /// Application protocol.
    pub alpn: String,
    /// `bbr`, `cubic` or `newreno`.
    pub congestion: String,
    /// Receive window of one stream.
    pub stream_window_bytes: f64,
    /// Receive window of a connection.
    pub receive_window_bytes: f64,
    /// Unacknowledged bytes of a connection, at most.
    pub send_window_bytes: f64,
    /// Streams of either kind that a peer may have open at once.
    pub max_streams: f64,
    /// Silence after which a connection is lost.
    pub idle_timeout_ms: f64,
    /// Silence after which a connection pings.
    pub keep_alive_ms: f64,
    /// Round trip of a path until one is measured.
    pub initial_rtt_ms: f64,
    /// Time that a handshake of a peer may take.
    pub handshake_timeout_ms: f64,
    /// Receive window of a stranger's connection.
    pub stranger_window_bytes: f64,
    /// Strangers at once.
    pub max_strangers: f64,
    /// Strangers at once from one address.
    pub max_strangers_per_address: f64,
    /// Connections of one address that end without being admitted, before it must wait.
    pub max_stranger_failures: f64,
    /// For how long such an address must wait.
    pub refusal_ms: f64,
    /// File writes that may be under way at once.
    pub write_concurrency: f64,
    /// Pieces that may be encoded at once.
    pub encode_concurrency: f64,
    /// Whether a thread of its own drives it.
    pub own_thread: bool,
}

/// One set of sockets with an identity; see `Endpoint` in `engine.ts`.
#[napi]
pub struct Endpoint {
    /// Empty after `close`: the ports are freed with the last clone.
    inner: Mutex<Option<endpoint::Endpoint>>,
    ready: AsyncMutex<mpsc::Receiver<Connection>>,
    early: Arc<EarlyWaiters>,
    /// The settings of connections that this side dials.
    dialling: QuicTransportConfig,
    peer_id: String,
    addresses: Vec<String>,
    alpn: Vec<u8>,
    registry: Arc<Registry>,
    accepting: AsyncMutex<Option<JoinHandle<()>>>,
    closed: CancellationToken,
    /// Ends with the endpoint.
    thread: Mutex<Option<OwnThread>>,
}

/// Opens an endpoint that can dial and be dialled.
#[napi]
pub async fn bind_endpoint(options: EndpointOptions) -> Result<Endpoint> {
    let permits = exact("write concurrency", options.write_concurrency)?.max(1) as usize;
    let coders = exact("encode concurrency", options.encode_concurrency)? as usize;
    let timeout = milliseconds("handshake time-out", options.handshake_timeout_ms)?;
    let strangers = Strangers::new(stranger_limits(&options)?);
    let dialling = transport_config(&options, Allowance::of_dialled(&options)?)?;
    let alpn = options.alpn.as_bytes().to_vec();
    let thread = options.own_thread.then(OwnThread::start).transpose()?;
    let home = thread.as_ref().map(OwnThread::home).unwrap_or_default();
    let inner = home.run(bind(options, alpn.clone())).await??;
    let (sender, ready) = mpsc::channel(READY_CONNECTIONS);
    let early = Arc::new(EarlyWaiters::default());
    let registry = Registry::new(permits, coders, home.clone());
    let arrivals = Arrivals {
        ready: sender,
        early: Arc::clone(&early),
        registry: Arc::clone(&registry),
        timeout,
    };
    let accepting = home.spawn(accept_all(inner.clone(), strangers, arrivals));
    Ok(Endpoint {
        peer_id: inner.id().to_string(),
        addresses: inner
            .bound_sockets()
            .iter()
            .map(ToString::to_string)
            .collect(),
        inner: Mutex::new(Some(inner)),
        ready: AsyncMutex::new(ready),
        early,
        dialling,
        alpn,
        registry,
        accepting: AsyncMutex::new(Some(accepting)),
        closed: CancellationToken::new(),
        thread: Mutex::new(thread),
    })
}

impl Endpoint {
    fn inner(&self) -> Result<endpoint::Endpoint> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner
            .clone()
            .ok_or_else(|| EngineError::cancelled("endpoint"))
    }

    /// Dials, and returns why that failed in words.
    async fn dial(
        &self,
        inner: endpoint::Endpoint,
        target: EndpointAddr,
        early: Option<&[u8]>,
    ) -> std::result::Result<Dialled, String> {
        let options = ConnectOptions::new().with_transport_config(self.dialling.clone());
        let (alpn, early) = (self.alpn.clone(), early.map(<[u8]>::to_vec));
        let dial = async move {
            let connecting = inner.connect_with_opts(target, &alpn, options).await;
            let connecting = connecting.map_err(|error| full_text(&error))?;
            let dialled = complete(connecting, early.as_deref()).await;
            dialled.map_err(|error| full_text(&error))
        };
        let dialled = self.registry.home.run(dial).await;
        dialled.map_err(|error| error.to_string())?
    }

    /// Dials a peer by key over any of the addresses, with bytes for the first flight or without.
    async fn reach(
        &self,
        peer_id: &str,
        addresses: &[String],
        timeout_ms: f64,
        early: Option<&[u8]>,
    ) -> Result<Connection> {
        let timeout = milliseconds("time-out", timeout_ms)?;
        let inner = self.inner()?;
        let peer: EndpointId = peer_id
            .parse()
            .map_err(|_| EngineError::argument(format!("{peer_id:?} is no peer id")))?;
        let parsed = addresses
            .iter()
            .map(|text| Ok(TransportAddr::Ip(socket_address(text)?)));
        let target = EndpointAddr::from_parts(peer, parsed.collect::<Result<Vec<_>>>()?);
        let dial = tokio::time::timeout(timeout, self.dial(inner, target, early));
        let dialled = tokio::select! {
            () = self.closed.cancelled() => return Err(EngineError::cancelled("endpoint")),
            dialled = dial => dialled,
        };
        let shown = addresses.join(", ");
        let failure = match dialled {
            Ok(Ok((connection, stream))) => {
                let registry = Arc::clone(&self.registry);
                let connection = Connection::new(connection, registry, CancellationToken::new());
                return Ok(connection.opened(stream));
            }
            Ok(Err(reason)) => format!("{shown} could not be reached: {reason}"),
            Err(_) => format!("{shown} did not answer within {} ms", timeout.as_millis()),
        };
        Err(EngineError::new(Code::PeerUnreachable, failure))
    }
}

#[napi]
impl Endpoint {
    /// The public key, 64 lower-case hex digits.
    #[napi(getter)]
    pub fn peer_id(&self) -> String {
        self.peer_id.clone()
    }

    /// The addresses it is bound to.
    #[napi(getter)]
    pub fn addresses(&self) -> Vec<String> {
        self.addresses.clone()
    }

    /// Dials a peer by key over any of the addresses.
    #[napi]
    pub async fn connect(
        &self,
        peer_id: String,
        addresses: Vec<String>,
        timeout_ms: f64,
    ) -> Result<Connection> {
        self.reach(&peer_id, &addresses, timeout_ms, None).await
    }

    /// Dials likewise, and has bytes travel in the first flight where an earlier session allows that.
    #[napi]
    pub async fn connect_early(
        &self,
        peer_id: String,
        addresses: Vec<String>,
        timeout_ms: f64,
        bytes: Uint8Array,
    ) -> Result<Connection> {
        self.reach(&peer_id, &addresses, timeout_ms, Some(&bytes))
            .await
    }

    /// Returns the next connection whose handshake is done; nothing after `close`.
    #[napi]
    pub async fn accept(&self) -> Result<Option<Connection>> {
        let mut ready = self.ready.lock().await;
        Ok(tokio::select! {
            biased;
            () = self.closed.cancelled() => None,
            next = ready.recv() => next,
        })
    }

    /// Returns the next call whose first bytes came before its handshake was done; nothing after `close`.
    #[napi]
    pub async fn accept_early(&self) -> Result<Option<EarlyCall>> {
        let call = self.early.wait();
        Ok(tokio::select! {
            biased;
            () = self.closed.cancelled() => None,
            call = call => call.ok(),
        })
    }

    /// Closes all connections politely and frees the ports.
    #[napi]
    pub async fn close(&self) -> Result<()> {
        self.closed.cancel();
        self.registry.close_connections();
        // A second call waits here for the first.
        let mut accepting = self.accepting.lock().await;
        let inner = self
            .inner
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(inner) = inner {
            inner.close().await;
        }
        if let Some(task) = accepting.take() {
            task.await?;
            // Nobody accepts the rest any more.
            let mut ready = self.ready.lock().await;
            ready.close();
            while ready.try_recv().is_ok() {}
            self.registry.release().await;
            ports_free(&self.addresses).await;
            let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
            thread.take();
        }
        Ok(())
    }
}

fn stranger_limits(options: &EndpointOptions) -> Result<StrangerLimits> {
    let per_address = exact("strangers", options.max_strangers_per_address)?;
    let failures = exact("failures", options.max_stranger_failures)?;
    Ok(StrangerLimits {
        total: exact("strangers", options.max_strangers)? as usize,
        per_address: per_address as usize,
        failures: u32::try_from(failures).unwrap_or(u32::MAX),
        refusal: milliseconds("refusal", options.refusal_ms)?,
    })
}
