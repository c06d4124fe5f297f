//! Moves file bytes between QUIC streams and files, and decides nothing.
//!
//! Everything that can be called a decision is in TypeScript, defaults included. What the exported
//! classes and functions promise is written in `src/engine/engine.ts`, the interface they stand behind.

mod arrivals;
pub mod bundle;
mod codec;
mod coder;
mod congestion;
pub mod connection;
mod decoder;
mod disk_calls;
pub mod early;
pub mod encoder;
pub mod endpoint;
mod error;
pub mod folder;
mod handle;
pub mod hash;
pub mod held;
mod home;
pub mod lane;
pub mod limiter;
pub mod listing;
pub mod log;
pub mod many;
mod mapping;
pub mod partial;
mod path;
pub mod piece;
mod platform;
mod receive_bundle;
mod receive_half;
pub mod receive_run;
mod registry;
pub mod runtime;
mod send_bundle;
mod send_encoded;
mod send_half;
pub mod send_run;
mod sockets;
pub mod source;
pub mod source_file;
pub mod spent;
mod strangers;
mod stream;
pub mod things;
mod transport;

use napi_derive::napi;

/// Lists the codes that failures of this addon can have, for the test that compares them with TypeScript's.
#[napi]
pub fn error_code_names() -> Vec<String> {
    error::Code::ALL
        .iter()
        .map(|code| code.name().to_owned())
        .collect()
}
