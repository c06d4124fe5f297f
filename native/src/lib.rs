//! Moves file bytes between QUIC streams and files, and decides nothing.
//!
//! Everything that can be called a decision is in TypeScript, defaults included. What the exported
//! classes and functions promise is written in `src/engine/engine.ts`, the interface they stand behind.

mod bundle;
mod congestion;
mod connection;
mod endpoint;
mod error;
mod folder;
mod hash;
mod lane;
mod listing;
mod mapping;
mod partial;
mod path;
mod piece;
mod platform;
mod receive_run;
mod runtime;
mod send_run;
mod source;
mod stream;
mod transport;

use napi_derive::napi;

/// Lists the codes that failures of this addon can have, for the test that compares them with TypeScript's.
#[napi]
pub fn error_code_names() -> Vec<String> {
    error::Code::ALL.iter().map(|code| code.name().to_owned()).collect()
}
