//! What both halves of a stream share.

use std::future::Future;

use iroh::endpoint::VarInt;
use tokio::sync::{MappedMutexGuard, MutexGuard};
use tokio_util::sync::CancellationToken;

use crate::{
    error::{EngineError, Result},
    piece::exact,
};

/// Returns what a half holds, unless its endpoint is closed.
pub fn only<T>(guard: MutexGuard<'_, Option<T>>) -> Result<MappedMutexGuard<'_, T>> {
    MutexGuard::try_map(guard, Option::as_mut).map_err(|_| EngineError::cancelled("stream"))
}

/// Does a verb's work until the half is given up.
pub async fn unless<T>(
    given_up: &CancellationToken,
    verb: impl Future<Output = Result<T>>,
) -> Result<T> {
    tokio::select! {
        biased;
        () = given_up.cancelled() => Err(EngineError::cancelled("stream")),
        result = verb => result,
    }
}

/// Takes an application's error number as QUIC can carry it.
pub fn error_number(number: f64) -> Result<VarInt> {
    VarInt::from_u64(exact("error number", number)?)
        .map_err(|_| EngineError::argument(format!("error number: {number} is too large")))
}
