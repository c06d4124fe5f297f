//! The settings of QUIC, made from the endpoint's options.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use iroh::endpoint::{ControllerFactory, IdleTimeout, QuicTransportConfig, VarInt};
use noq_proto::congestion::{CubicConfig, NewRenoConfig};
use rustls::{
    CipherSuite, CipherSuiteCommon, SupportedCipherSuite, Tls13CipherSuite,
    crypto::{CryptoProvider, ring},
};

use crate::{
    congestion::{BottleneckFactory, CountingFactory},
    endpoint::EndpointOptions,
    error::{EngineError, Result},
    piece::exact,
};

/// iroh takes no longer interval between two signs of life of a path, and no longer silence.
const LONGEST_PATH_KEEP_ALIVE: Duration = Duration::from_secs(5);
const LONGEST_PATH_SILENCE: Duration = Duration::from_secs(15);

/// What the other side may send before anything is read.
pub struct Allowance {
    window: VarInt,
    streams: VarInt,
    one_way_streams: VarInt,
}

impl Allowance {
    /// For a peer that this side dialled, and so knows.
    pub fn of_dialled(options: &EndpointOptions) -> Result<Self> {
        let streams = var_int("streams", options.max_streams)?;
        Ok(Self {
            window: var_int("receive window", options.receive_window_bytes)?,
            streams,
            one_way_streams: streams,
        })
    }

    /// For a peer that dialled: one stream, and little in it.
    pub fn of_stranger(options: &EndpointOptions) -> Result<Self> {
        Ok(Self {
            window: var_int("stranger's window", options.stranger_window_bytes)?,
            streams: VarInt::from_u32(1),
            one_way_streams: VarInt::from_u32(0),
        })
    }
}

/// Makes the settings.
pub fn transport_config(
    options: &EndpointOptions,
    allowance: Allowance,
) -> Result<QuicTransportConfig> {
    let idle = milliseconds("idle time-out", options.idle_timeout_ms)?;
    let keep_alive = milliseconds("keep-alive", options.keep_alive_ms)?;
    let initial_rtt = milliseconds("initial round trip", options.initial_rtt_ms)?;
    let idle_timeout = IdleTimeout::try_from(idle)
        .map_err(|_| EngineError::argument("idle time-out: larger than QUIC can carry"))?;
    Ok(QuicTransportConfig::builder()
        .stream_receive_window(var_int("stream window", options.stream_window_bytes)?)
        .receive_window(allowance.window)
        .send_window(exact("send window", options.send_window_bytes)?)
        .max_concurrent_bidi_streams(allowance.streams)
        .max_concurrent_uni_streams(allowance.one_way_streams)
        // Nobody here reads datagrams, and no flow control holds them back.
        .datagram_receive_buffer_size(None)
        .max_idle_timeout(Some(idle_timeout))
        .keep_alive_interval(keep_alive)
        .initial_rtt(initial_rtt)
        .default_path_keep_alive_interval(keep_alive.min(LONGEST_PATH_KEEP_ALIVE))
        .default_path_max_idle_timeout(idle.min(LONGEST_PATH_SILENCE))
        // noq-proto 1.4.0 panics when it asks some peers for fewer of them; see docs/security.md.
        .ack_frequency_config(None)
        .congestion_controller_factory(controller(&options.congestion)?)
        .build())
}

/// The cipher suites of TLS 1.3, the quickest first: AES-128-GCM needs ten rounds where AES-256 needs
/// fourteen, and is what QUIC itself demands (RFC 9001, 5.3).
pub fn crypto_provider() -> CryptoProvider {
    let mut provider = ring::default_provider();
    let is_other =
        |suite: &SupportedCipherSuite| suite.suite() != CipherSuite::TLS13_AES_128_GCM_SHA256;
    provider.cipher_suites.sort_by_key(is_other);
    if let Some(suite) = &*TOKEN_SUITE {
        let tokens = SupportedCipherSuite::Tls13(suite);
        provider.cipher_suites.insert(0, tokens);
    }
    provider
}

/// What iroh encrypts QUIC's tokens with: the first suite, with a key of 32 bytes. AES-128 takes none of
/// that length, and iroh panics, at any packet with a token. No handshake uses this one.
static TOKEN_SUITE: LazyLock<Option<Tls13CipherSuite>> = LazyLock::new(|| {
    let suite = ring::cipher_suite::TLS13_AES_256_GCM_SHA384.tls13()?;
    Some(Tls13CipherSuite {
        common: CipherSuiteCommon {
            suite: suite.common.suite,
            hash_provider: suite.common.hash_provider,
            confidentiality_limit: suite.common.confidentiality_limit,
        },
        hkdf_provider: suite.hkdf_provider,
        aead_alg: suite.aead_alg,
        quic: None,
    })
});

/// Takes a time from JavaScript.
pub fn milliseconds(what: &str, value: f64) -> Result<Duration> {
    Ok(Duration::from_millis(exact(what, value)?))
}

fn controller(name: &str) -> Result<Arc<dyn ControllerFactory + Send + Sync>> {
    match name {
        "bbr" => Ok(counting(BottleneckFactory)),
        "cubic" => Ok(counting(CubicConfig::default())),
        "newreno" => Ok(counting(NewRenoConfig::default())),
        other => Err(EngineError::argument(format!(
            "congestion: {other:?} is not known"
        ))),
    }
}

fn counting(
    factory: impl ControllerFactory + Send + Sync + 'static,
) -> Arc<dyn ControllerFactory + Send + Sync> {
    Arc::new(CountingFactory(Arc::new(factory)))
}

/// Takes a number from JavaScript as QUIC carries it.
pub fn var_int(what: &str, value: f64) -> Result<VarInt> {
    VarInt::from_u64(exact(what, value)?)
        .map_err(|_| EngineError::argument(format!("{what}: {value} is too large")))
}
