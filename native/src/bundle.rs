//! Many small files on one stream, each as one piece.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::{Bytes, BytesMut};
use cap_std::fs::Dir;
use tokio::sync::Semaphore;

use crate::{
    error::{Code, EngineError, Result},
    hash::Value,
    listing::Kind,
    path::{Held, at, folder_at, split},
    piece::{HEADER_BYTES, Header, VALUE_BYTES},
    platform,
    stream::{Incoming, Outgoing},
};

/// A bundle's file is held in memory as a whole.
const LARGEST_FILE: u64 = 1 << 20;
/// Bytes that are gathered before they are handed to the stream.
const BATCH_BYTES: usize = 256 * 1024;
/// Batches that are read ahead of the network.
const BATCHES_AHEAD: usize = 2;

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
    fn ok(hash: Value) -> Self {
        Self { hash, status: Status::Ok, failure: None }
    }

    fn without_hash(status: Status, failure: Option<EngineError>) -> Self {
        let failure = failure.map(|error| error.to_string());
        Self { hash: [0; VALUE_BYTES], status, failure }
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

/// Writes `header`, then each file as one piece; one that changed or vanished is sent as absent.
///
/// The files are read on a thread of their own, a few batches ahead of the network.
pub async fn send_bundle(
    outgoing: &mut Outgoing<'_>,
    header: &[u8],
    folder: Arc<Dir>,
    files: Vec<BundledFile>,
) -> Result<Vec<BundledResult>> {
    outgoing.write(&mut [Bytes::copy_from_slice(header)]).await?;
    let (sender, mut batches) = tokio::sync::mpsc::channel(BATCHES_AHEAD);
    let reading = tokio::task::spawn_blocking(move || read_files(&folder, &files, &sender));
    while let Some(batch) = batches.recv().await {
        outgoing.write(&mut [batch]).await?;
    }
    Ok(reading.await?)
}

fn read_files(
    root: &Dir,
    files: &[BundledFile],
    sender: &tokio::sync::mpsc::Sender<Bytes>,
) -> Vec<BundledResult> {
    let mut results = Vec::with_capacity(files.len());
    let mut batch = BytesMut::with_capacity(BATCH_BYTES);
    let mut parents = Parents::new(root);
    for file in files {
        results.push(match read_file(&mut parents, file) {
            Ok(bytes) => {
                let hash = *blake3::hash(&bytes).as_bytes();
                batch.extend(Header::Plain.encode(file.bytes));
                batch.extend(&bytes);
                batch.extend(hash);
                BundledResult::ok(hash)
            }
            Err(error) => {
                batch.extend(Header::Absent.encode(0));
                BundledResult::without_hash(Status::Absent, Some(error))
            }
        });
        // The stream was given up: nobody wants the rest.
        if batch.len() >= BATCH_BYTES && sender.blocking_send(batch.split().freeze()).is_err() {
            return results;
        }
    }
    // The same, and this was the rest.
    let _ = sender.blocking_send(batch.freeze());
    results
}

fn read_file(parents: &mut Parents<'_>, file: &BundledFile) -> Result<Vec<u8>> {
    let (folder, name) = parents.place(&file.path)?;
    let opened = at(&file.path, folder.open_with(&name, &platform::reading()))?.into_std();
    let stat = at(&file.path, platform::stat_of(&opened))?;
    let is_as_offered = stat.kind == Kind::File
        && stat.bytes == u64::from(file.bytes)
        && stat.mtime_ms == file.mtime_ms;
    if is_as_offered {
        let bytes = at(&file.path, platform::read_at(&opened, 0, file.bytes as usize))?;
        if bytes.len() == file.bytes as usize {
            return Ok(bytes);
        }
    }
    let shown = String::from_utf8_lossy(&file.path);
    let text = format!("{}: the file is not what was offered", shown.escape_debug());
    Err(EngineError::new(Code::SourceChanged, text))
}

/// Reads one piece a target, creates each file, writes it, and sets its mode and mtime.
pub async fn receive_bundle(
    incoming: &mut Incoming<'_>,
    root: &Dir,
    disk: &Semaphore,
    targets: &[BundledFile],
) -> Result<Vec<BundledResult>> {
    let mut results = Vec::with_capacity(targets.len());
    let mut parents = Parents::new(root);
    let mut buffer = Vec::new();
    for target in targets {
        let mut header = [0; HEADER_BYTES];
        incoming.fill_all(&mut header).await?;
        if Header::decode(header, target.bytes)? == Header::Absent {
            results.push(BundledResult::without_hash(Status::Absent, None));
            continue;
        }
        buffer.resize(target.bytes as usize + VALUE_BYTES, 0);
        incoming.fill_all(&mut buffer).await?;
        let (bytes, announced) = buffer.split_at(target.bytes as usize);
        let hash = *blake3::hash(bytes).as_bytes();
        if hash != announced {
            results.push(BundledResult { hash, status: Status::Bad, failure: None });
            continue;
        }
        let permit = disk.acquire().await.map_err(|_| EngineError::cancelled("endpoint"))?;
        results.push(match write_file(&mut parents, target, bytes) {
            Ok(()) => BundledResult::ok(hash),
            Err(error) => BundledResult::without_hash(Status::Failed, Some(error)),
        });
        drop(permit);
    }
    Ok(results)
}

fn write_file(parents: &mut Parents<'_>, target: &BundledFile, bytes: &[u8]) -> Result<()> {
    let (folder, name) = parents.place(&target.path)?;
    let created = folder.open_with(&name, &platform::creating(target.mode));
    let file = at(&target.path, created)?.into_std();
    let mtime = file_time(target.mtime_ms);
    let written = platform::write_at(&file, bytes, 0).and_then(|()| file.set_modified(mtime));
    if written.is_err() {
        // Half a file helps nobody; the first failure is the one that counts.
        let _ = folder.remove_file(&name);
    }
    at(&target.path, written)
}

/// Turns milliseconds since 1970 into the system's time.
pub fn file_time(mtime_ms: i64) -> SystemTime {
    let distance = Duration::from_millis(mtime_ms.unsigned_abs());
    let time = if mtime_ms < 0 {
        SystemTime::UNIX_EPOCH.checked_sub(distance)
    } else {
        SystemTime::UNIX_EPOCH.checked_add(distance)
    };
    time.unwrap_or(SystemTime::UNIX_EPOCH)
}

/// Keeps the folder of the last file open: neighbours in a bundle mostly share it.
struct Parents<'a> {
    root: &'a Dir,
    last: Option<(Vec<u8>, Held<'a>)>,
}

impl<'a> Parents<'a> {
    fn new(root: &'a Dir) -> Self {
        Self { root, last: None }
    }

    fn place(&mut self, path: &[u8]) -> Result<(&Dir, std::ffi::OsString)> {
        let (parent, name) = split(path);
        let name = crate::path::one_name(name, path)?;
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

        let file =
            BundledFile { path: b"a/b".to_vec(), bytes: 5, mtime_ms: -7, mode: 0o644 };
        assert_eq!(unpack(&packed).unwrap(), [file]);
        assert!(unpack(&packed[..packed.len() - 1]).is_err());
    }
}
