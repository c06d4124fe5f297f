//! The settings of QUIC, made from the endpoint's options.

use std::{sync::Arc, time::Duration};

use iroh::endpoint::{
    AckFrequencyConfig, ControllerFactory, IdleTimeout, QuicTransportConfig, VarInt,
};
use noq_proto::congestion::{CubicConfig, NewRenoConfig};
use rustls::{
    CipherSuite, SupportedCipherSuite,
    crypto::{CryptoProvider, aws_lc_rs},
};

use crate::{
    congestion::BottleneckFactory,
    endpoint::EndpointOptions,
    error::{EngineError, Result},
    piece::exact,
};

/// iroh takes no longer interval between two signs of life of a path, and no longer silence.
const LONGEST_PATH_KEEP_ALIVE: Duration = Duration::from_secs(5);
const LONGEST_PATH_SILENCE: Duration = Duration::from_secs(15);

/// Makes the settings; the initial RTT stays QUIC's own, since controllers may take it for a measurement.
pub fn transport_config(options: &EndpointOptions) -> Result<QuicTransportConfig> {
    let idle = milliseconds("idle time-out", options.idle_timeout_ms)?;
    let keep_alive = milliseconds("keep-alive", options.keep_alive_ms)?;
    let idle_timeout = IdleTimeout::try_from(idle)
        .map_err(|_| EngineError::argument("idle time-out: larger than QUIC can carry"))?;
    let mut acknowledgements = AckFrequencyConfig::default();
    acknowledgements
        .ack_eliciting_threshold(var_int("acknowledgements", options.ack_threshold_packets)?);
    let streams = var_int("streams", options.max_streams)?;
    Ok(QuicTransportConfig::builder()
        .stream_receive_window(var_int("stream window", options.stream_window_bytes)?)
        .receive_window(var_int("receive window", options.receive_window_bytes)?)
        .send_window(exact("send window", options.send_window_bytes)?)
        .max_concurrent_bidi_streams(streams)
        .max_concurrent_uni_streams(streams)
        .max_idle_timeout(Some(idle_timeout))
        .keep_alive_interval(keep_alive)
        .default_path_keep_alive_interval(keep_alive.min(LONGEST_PATH_KEEP_ALIVE))
        .default_path_max_idle_timeout(idle.min(LONGEST_PATH_SILENCE))
        .ack_frequency_config(Some(acknowledgements))
        .congestion_controller_factory(controller(&options.congestion)?)
        .build())
}

/// The cipher suites of TLS 1.3, the quickest first: AES-128-GCM needs ten rounds where AES-256 needs
/// fourteen, and is what QUIC itself demands (RFC 9001, 5.3).
pub fn crypto_provider() -> CryptoProvider {
    let mut provider = aws_lc_rs::default_provider();
    let is_other =
        |suite: &SupportedCipherSuite| suite.suite() != CipherSuite::TLS13_AES_128_GCM_SHA256;
    provider.cipher_suites.sort_by_key(is_other);
    provider
}

/// Takes a time from JavaScript.
pub fn milliseconds(what: &str, value: f64) -> Result<Duration> {
    Ok(Duration::from_millis(exact(what, value)?))
}

fn controller(name: &str) -> Result<Arc<dyn ControllerFactory + Send + Sync>> {
    match name {
        "bbr" => Ok(Arc::new(BottleneckFactory)),
        "cubic" => Ok(Arc::new(CubicConfig::default())),
        "newreno" => Ok(Arc::new(NewRenoConfig::default())),
        other => Err(EngineError::argument(format!(
            "congestion: {other:?} is not known"
        ))),
    }
}

fn var_int(what: &str, value: f64) -> Result<VarInt> {
    VarInt::from_u64(exact(what, value)?)
        .map_err(|_| EngineError::argument(format!("{what}: {value} is too large")))
}
