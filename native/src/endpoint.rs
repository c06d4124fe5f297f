//! One set of sockets with an identity.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use iroh::{
    EndpointAddr, EndpointId, RelayMode, SecretKey, TransportAddr,
    endpoint::{self, Incoming, presets},
};
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;
use tokio::{
    sync::{Mutex as AsyncMutex, mpsc},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use crate::{
    connection::Connection,
    error::{Code, EngineError, Result, full_text},
    piece::exact,
    registry::Registry,
    transport::{crypto_provider, milliseconds, transport_config},
};

/// Connections whose handshake is done and that nobody has accepted yet, at most.
const READY_CONNECTIONS: usize = 64;
/// A port that is not free after a second is held by someone else by now.
const PORT_CHECKS: u32 = 200;
const PORT_CHECK_INTERVAL: Duration = Duration::from_millis(5);

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
    /// Packets that the peer may leave unacknowledged before it must answer at once.
    pub ack_threshold_packets: f64,
    /// Time that a handshake of a peer may take.
    pub handshake_timeout_ms: f64,
    /// File writes that may be under way at once.
    pub write_concurrency: f64,
}

/// One set of sockets with an identity; see `Endpoint` in `engine.ts`.
#[napi]
pub struct Endpoint {
    /// Empty after `close`: the ports are freed with the last clone.
    inner: Mutex<Option<endpoint::Endpoint>>,
    ready: AsyncMutex<mpsc::Receiver<endpoint::Connection>>,
    peer_id: String,
    addresses: Vec<String>,
    alpn: Vec<u8>,
    registry: Arc<Registry>,
    accepting: AsyncMutex<Option<JoinHandle<()>>>,
    closed: CancellationToken,
}

/// Opens an endpoint that can dial and be dialled.
#[napi]
pub async fn bind_endpoint(options: EndpointOptions) -> Result<Endpoint> {
    let permits = exact("write concurrency", options.write_concurrency)?.max(1) as usize;
    let handshake_timeout = milliseconds("handshake time-out", options.handshake_timeout_ms)?;
    let alpn = options.alpn.as_bytes().to_vec();
    let inner = bind(&options, alpn.clone()).await?;
    let (sender, ready) = mpsc::channel(READY_CONNECTIONS);
    let accepting = tokio::spawn(accept_all(inner.clone(), sender, handshake_timeout));
    Ok(Endpoint {
        peer_id: inner.id().to_string(),
        addresses: inner
            .bound_sockets()
            .iter()
            .map(ToString::to_string)
            .collect(),
        inner: Mutex::new(Some(inner)),
        ready: AsyncMutex::new(ready),
        alpn,
        registry: Registry::new(permits),
        accepting: AsyncMutex::new(Some(accepting)),
        closed: CancellationToken::new(),
    })
}

impl Endpoint {
    fn inner(&self) -> Result<endpoint::Endpoint> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner
            .clone()
            .ok_or_else(|| EngineError::cancelled("endpoint"))
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
        let timeout = milliseconds("time-out", timeout_ms)?;
        let inner = self.inner()?;
        let peer: EndpointId = peer_id
            .parse()
            .map_err(|_| EngineError::argument(format!("{peer_id:?} is no peer id")))?;
        let parsed = addresses
            .iter()
            .map(|text| Ok(TransportAddr::Ip(socket_address(text)?)));
        let target = EndpointAddr::from_parts(peer, parsed.collect::<Result<Vec<_>>>()?);
        let dial = tokio::time::timeout(timeout, inner.connect(target, &self.alpn));
        let dialled = tokio::select! {
            () = self.closed.cancelled() => return Err(EngineError::cancelled("endpoint")),
            dialled = dial => dialled,
        };
        let shown = addresses.join(", ");
        match dialled {
            Ok(Ok(connection)) => Ok(Connection::new(connection, Arc::clone(&self.registry))),
            Ok(Err(error)) => Err(EngineError::new(
                Code::PeerUnreachable,
                format!("{shown} could not be reached: {}", full_text(&error)),
            )),
            Err(_) => Err(EngineError::new(
                Code::PeerUnreachable,
                format!("{shown} did not answer within {} ms", timeout.as_millis()),
            )),
        }
    }

    /// Returns the next connection whose handshake is done; nothing after `close`.
    #[napi]
    pub async fn accept(&self) -> Result<Option<Connection>> {
        let mut ready = self.ready.lock().await;
        let next = tokio::select! {
            biased;
            () = self.closed.cancelled() => None,
            next = ready.recv() => next,
        };
        Ok(next.map(|connection| Connection::new(connection, Arc::clone(&self.registry))))
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
        }
        Ok(())
    }
}

async fn bind(options: &EndpointOptions, alpn: Vec<u8>) -> Result<endpoint::Endpoint> {
    let secret: [u8; 32] = options.secret_key.as_ref().try_into().map_err(|_| {
        EngineError::argument(format!(
            "secret key: {} bytes, not 32",
            options.secret_key.len()
        ))
    })?;
    if options.listen.is_empty() {
        return Err(EngineError::argument("listen: no address is given"));
    }
    let mut builder = endpoint::Builder::new(presets::Minimal)
        .relay_mode(RelayMode::Disabled)
        .secret_key(SecretKey::from_bytes(&secret))
        .alpns(vec![alpn])
        .crypto_provider(Arc::new(crypto_provider()))
        .transport_config(transport_config(options)?)
        .clear_ip_transports();
    for text in &options.listen {
        builder = builder
            .bind_addr(socket_address(text)?)
            .map_err(|error| EngineError::argument(format!("{text}: {}", full_text(&error))))?;
    }
    builder.bind().await.map_err(|error| {
        let listen = options.listen.join(", ");
        let text = format!("{listen} cannot be listened on: {}", full_text(&error));
        let code = if is_in_use(&error) {
            Code::AddressInUse
        } else {
            Code::InvalidArgument
        };
        EngineError::new(code, text)
    })
}

/// Runs every handshake by itself, so that a slow peer keeps nobody else waiting.
async fn accept_all(
    inner: endpoint::Endpoint,
    ready: mpsc::Sender<endpoint::Connection>,
    timeout: Duration,
) {
    while let Some(incoming) = inner.accept().await {
        let ready = ready.clone();
        tokio::spawn(async move {
            // A handshake that fails concerns only the peer that began it.
            if let Ok(Some(connection)) = tokio::time::timeout(timeout, shake_hands(incoming)).await
            {
                let _ = ready.send(connection).await;
            }
        });
    }
}

async fn shake_hands(incoming: Incoming) -> Option<endpoint::Connection> {
    incoming.accept().ok()?.await.ok()
}

/// Waits until the system has taken the ports back: iroh closes a socket with its last user, and tasks
/// that were woken by the end of their connection may not have run yet.
async fn ports_free(addresses: &[String]) {
    let is_taken = |address: &String| std::net::UdpSocket::bind(address).is_err();
    for _ in 0..PORT_CHECKS {
        if !addresses.iter().any(is_taken) {
            return;
        }
        tokio::time::sleep(PORT_CHECK_INTERVAL).await;
    }
}

fn socket_address(text: &str) -> Result<SocketAddr> {
    text.parse()
        .map_err(|_| EngineError::argument(format!("{text:?} is no address (ip:port)")))
}

fn is_in_use(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(system) = cause.downcast_ref::<std::io::Error>()
            && system.kind() == std::io::ErrorKind::AddrInUse
        {
            return true;
        }
        next = cause.source();
    }
    false
}
