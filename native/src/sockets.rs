//! The sockets of an endpoint: bound with its identity, and given back.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use iroh::{
    RelayMode, SecretKey,
    endpoint::{self, presets},
};

use crate::{
    endpoint::EndpointOptions,
    error::{Code, EngineError, Result, full_text},
    transport::{Allowance, crypto_provider, transport_config},
};

/// A port that is not free after a second is held by someone else by now.
const PORT_CHECKS: u32 = 200;
const PORT_CHECK_INTERVAL: Duration = Duration::from_millis(5);

/// Binds the addresses that the options name.
pub async fn bind(options: EndpointOptions, alpn: Vec<u8>) -> Result<endpoint::Endpoint> {
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
        .transport_config(transport_config(
            &options,
            Allowance::of_stranger(&options)?,
        )?)
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

/// Waits until the system has taken the ports back: iroh closes a socket with its last user, and tasks
/// that were woken by the end of their connection may not have run yet.
pub async fn ports_free(addresses: &[String]) {
    let is_taken = |address: &String| std::net::UdpSocket::bind(address).is_err();
    for _ in 0..PORT_CHECKS {
        if !addresses.iter().any(is_taken) {
            return;
        }
        tokio::time::sleep(PORT_CHECK_INTERVAL).await;
    }
}

/// Reads an address as people write it.
pub fn socket_address(text: &str) -> Result<SocketAddr> {
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
