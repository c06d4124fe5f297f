//! Many small files on one stream, each as one piece: the list of them, and what becomes of each.

use napi::bindgen_prelude::Buffer;
use napi_derive::napi;

use crate::{
    error::{EngineError, Result},
    hash::Value,
    piece::VALUE_BYTES,
    things::{self, Thing, ThingFailure},
};

/// What became of one file.
pub struct BundledResult {
    /// The file's BLAKE3 hash; zeros where there is none.
    pub hash: Value,
    /// What became of it.
    pub status: Status,
    /// Why it failed.
    pub failure: Option<String>,
}

/// What became of one file, as a number that crosses to JavaScript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Sent, or received and written.
    Ok = 0,
    /// The bytes are not what their value says; nothing stays on disk.
    Bad = 1,
    /// The sender could not read it.
    Absent = 2,
    /// This side's disk refused.
    Failed = 3,
}

impl BundledResult {
    /// Says that all went well.
    pub fn ok(hash: Value) -> Self {
        Self {
            hash,
            status: Status::Ok,
            failure: None,
        }
    }

    /// Says what went wrong.
    pub fn without_hash(status: Status, failure: Option<EngineError>) -> Self {
        let failure = failure.map(|error| error.to_string());
        Self {
            hash: [0; VALUE_BYTES],
            status,
            failure,
        }
    }
}

/// Reads a packed list of files that are small enough for a bundle, where each is held in memory as a whole.
pub fn unpack_small(packed: &[u8]) -> Result<Vec<Thing>> {
    let files = things::unpack(packed)?;
    match files.iter().find(|file| file.bytes > LARGEST_FILE) {
        None => Ok(files),
        Some(Thing { bytes, .. }) => {
            let text = format!("a file of {bytes} bytes is too large for a bundle");
            Err(EngineError::argument(text))
        }
    }
}

/// What became of a bundle, packed.
#[napi(object)]
pub struct BundleObject {
    /// 32 bytes a file.
    pub hashes: Buffer,
    /// A byte a file: ok, bad, absent, failed.
    pub statuses: Buffer,
    /// The failures, for those that have one.
    pub failures: Vec<ThingFailure>,
}

impl BundleObject {
    /// Packs what became of each file.
    pub fn new(results: Vec<BundledResult>) -> Self {
        let hashes: Vec<u8> = results.iter().flat_map(|result| result.hash).collect();
        let statuses: Vec<u8> = results.iter().map(|result| result.status as u8).collect();
        let failures = results
            .into_iter()
            .zip(0..)
            .filter_map(|(result, position)| {
                result.failure.map(|text| ThingFailure { position, text })
            });
        Self {
            hashes: hashes.into(),
            statuses: statuses.into(),
            failures: failures.collect(),
        }
    }
}

const LARGEST_FILE: u32 = 1 << 20;
