//! Many small files on one stream, each as one piece: the list of them, and what becomes of each.

use cap_std::fs::Dir;
use napi::bindgen_prelude::Buffer;
use napi_derive::napi;

use crate::{
    error::{EngineError, Result},
    hash::Value,
    path::{Held, folder_at, one_name, split},
    piece::VALUE_BYTES,
};

/// A bundle's file is held in memory as a whole.
const LARGEST_FILE: u64 = 1 << 20;
/// One file of a bundle, to be sent or to be received.
#[derive(Debug, PartialEq)]
pub struct BundledFile {
    /// Its path below the bundle's folder.
    pub path: Vec<u8>,
    /// Its size as offered.
    pub bytes: u32,
    /// Its mtime as offered, in milliseconds since 1970.
    pub mtime_ms: i64,
    /// Permission bits; of no use to a sender.
    pub mode: u32,
}

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

/// Reads a packed list of files: path length (u16), mode (u16), size (f64), mtime (f64), path; little-endian.
pub fn unpack(mut packed: &[u8]) -> Result<Vec<BundledFile>> {
    let mut files = Vec::new();
    while !packed.is_empty() {
        let (file, rest) = unpack_one(packed)
            .ok_or_else(|| EngineError::argument("the packed list of a bundle is broken"))?;
        if u64::from(file.bytes) > LARGEST_FILE {
            let text = format!("a file of {} bytes is too large for a bundle", file.bytes);
            return Err(EngineError::argument(text));
        }
        files.push(file);
        packed = rest;
    }
    Ok(files)
}

fn unpack_one(packed: &[u8]) -> Option<(BundledFile, &[u8])> {
    let (path_bytes, rest) = packed.split_first_chunk()?;
    let (mode, rest) = rest.split_first_chunk()?;
    let (bytes, rest) = rest.split_first_chunk()?;
    let (mtime_ms, rest) = rest.split_first_chunk()?;
    let (path, rest) = rest.split_at_checked(u16::from_le_bytes(*path_bytes).into())?;
    let file = BundledFile {
        path: path.to_vec(),
        mode: u16::from_le_bytes(*mode).into(),
        // A size that is no number becomes 0 or the largest, which is refused.
        bytes: f64::from_le_bytes(*bytes) as u32,
        mtime_ms: f64::from_le_bytes(*mtime_ms) as i64,
    };
    Some((file, rest))
}

/// Keeps the folder of the last file open: neighbours in a bundle mostly share it.
pub struct Parents<'a> {
    root: &'a Dir,
    last: Option<(Vec<u8>, Held<'a>)>,
}

impl<'a> Parents<'a> {
    /// Starts at a bundle's folder.
    pub fn new(root: &'a Dir) -> Self {
        Self { root, last: None }
    }

    /// Finds the folder and the name of a file.
    pub fn place(&mut self, path: &[u8]) -> Result<(&Dir, std::ffi::OsString)> {
        let (parent, name) = split(path);
        let name = one_name(name, path)?;
        let is_open = self.last.as_ref().is_some_and(|(open, _)| open == parent);
        if !is_open {
            self.last = None;
        }
        let opened = match self.last.take() {
            Some(open) => open,
            None => (parent.to_vec(), folder_at(self.root, parent)?),
        };
        let (_, folder) = self.last.insert(opened);
        Ok((folder, name))
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
    pub failures: Vec<BundleFailure>,
}

/// Why one file of a bundle failed.
#[napi(object)]
pub struct BundleFailure {
    /// Position of the file in the bundle.
    pub position: u32,
    /// `CODE: text`.
    pub text: String,
}

impl BundleObject {
    /// Packs the results of a bundle for JavaScript.
    pub fn of(results: Vec<BundledResult>) -> Self {
        let hashes: Vec<u8> = results.iter().flat_map(|result| result.hash).collect();
        let statuses: Vec<u8> = results.iter().map(|result| result.status as u8).collect();
        let failures = results
            .into_iter()
            .zip(0..)
            .filter_map(|(result, position)| {
                result.failure.map(|text| BundleFailure { position, text })
            });
        Self {
            hashes: hashes.into(),
            statuses: statuses.into(),
            failures: failures.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_list_is_read_back() {
        let mut packed = Vec::new();
        packed.extend(3_u16.to_le_bytes());
        packed.extend(0o644_u16.to_le_bytes());
        packed.extend(5_f64.to_le_bytes());
        packed.extend((-7_f64).to_le_bytes());
        packed.extend(b"a/b");

        let file = BundledFile {
            path: b"a/b".to_vec(),
            bytes: 5,
            mtime_ms: -7,
            mode: 0o644,
        };
        assert_eq!(unpack(&packed).unwrap(), [file]);
        assert!(unpack(&packed[..packed.len() - 1]).is_err());
    }
}
