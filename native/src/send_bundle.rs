//! Sends many small files on one stream.

use std::sync::Arc;

use bytes::Bytes;
use cap_std::fs::Dir;
use tokio::sync::mpsc;

use crate::{
    bundle::{BundledResult, Status},
    encoder::{EncodedBytes, Encoding, encode},
    error::{Code, EngineError, Result},
    hash::Value,
    listing::Kind,
    path::{Parents, at, shown},
    piece::{HEADER_BYTES, Header, VALUE_BYTES},
    platform,
    send_half::Outgoing,
    spent::Doing,
    things::Thing,
};

/// Bytes that are handed to the stream at once, of more than one file.
///
/// From 128 KiB on an allocator gets memory from the system each time, whose every page then costs a fault.
const BATCH_BYTES: usize = 64 * 1024;
/// Batches that are read ahead of the network.
const BATCHES_AHEAD: usize = 8;

/// Writes `header`, then each file as one piece; one that changed or vanished is sent as absent.
///
/// The files are read on a thread of their own, a few batches ahead of the network.
pub async fn send_bundle(
    outgoing: &mut Outgoing<'_>,
    header: &[u8],
    folder: Arc<Dir>,
    files: Vec<Thing>,
    encoding: Option<Encoding>,
) -> Result<Vec<BundledResult>> {
    outgoing
        .write(&mut [Bytes::copy_from_slice(header)])
        .await?;
    let (sender, mut batches) = mpsc::channel(BATCHES_AHEAD);
    // Opening small files takes longer than anything but encoding them.
    let waiting_for = match &encoding {
        Some(_) => Doing::Work,
        None => Doing::Disk,
    };
    let reading = tokio::task::spawn_blocking(move || {
        let mut reader = Reader {
            parents: Parents::new(&folder),
            encoding,
            batch: Vec::new(),
            counts: EncodedBytes::default(),
        };
        let results = reader.read_files(&files, &sender);
        (results, reader.counts)
    });
    loop {
        let reading = outgoing.spent().enter(waiting_for);
        let Some(batch) = batches.recv().await else {
            break;
        };
        drop(reading);
        outgoing.write(&mut [batch]).await?;
    }
    let (results, counts) = reading.await?;
    outgoing.count(counts);
    Ok(results)
}

/// Reads a bundle's files, one after the other.
struct Reader<'a> {
    parents: Parents<'a>,
    encoding: Option<Encoding>,
    /// A vector: a `BytesMut` is extended byte by byte.
    batch: Vec<u8>,
    counts: EncodedBytes,
}

impl Reader<'_> {
    fn read_files(&mut self, files: &[Thing], sender: &mpsc::Sender<Bytes>) -> Vec<BundledResult> {
        let mut results = Vec::with_capacity(files.len());
        for file in files {
            // The stream was given up: nobody wants the rest.
            if !self.make_room(file.bytes, sender) {
                return results;
            }
            let start = self.batch.len();
            results.push(match self.add(file) {
                Ok(hash) => {
                    self.batch.extend_from_slice(&hash);
                    BundledResult::ok(hash)
                }
                Err(error) => {
                    self.batch.truncate(start);
                    self.batch.extend_from_slice(&Header::Absent.encode(0));
                    BundledResult::without_hash(Status::Absent, Some(error))
                }
            });
        }
        // The same, and this was the rest.
        let _ = sender.blocking_send(std::mem::take(&mut self.batch).into());
        results
    }

    /// Makes room for a file, and hands over what is gathered where it does not fit beside it; tells whether it was taken.
    fn make_room(&mut self, file_bytes: u32, sender: &mpsc::Sender<Bytes>) -> bool {
        let needed = HEADER_BYTES + file_bytes as usize + VALUE_BYTES;
        if self.batch.len() + needed <= self.batch.capacity() {
            return true;
        }
        let next = Vec::with_capacity(needed.max(BATCH_BYTES));
        let full = std::mem::replace(&mut self.batch, next);
        full.is_empty() || sender.blocking_send(full.into()).is_ok()
    }

    /// Adds a piece's header and its bytes, and tells their hash. What a failure has added is of no use.
    fn add(&mut self, file: &Thing) -> Result<Value> {
        let Some(Encoding { coding, coders }) = &self.encoding else {
            let plain = Header::Plain.encode(file.bytes);
            self.batch.extend_from_slice(&plain);
            let start = self.batch.len();
            read_file(&mut self.parents, file, &mut self.batch)?;
            return Ok(*blake3::hash(&self.batch[start..]).as_bytes());
        };
        let mut bytes = Vec::new();
        read_file(&mut self.parents, file, &mut bytes)?;
        let hash = *blake3::hash(&bytes).as_bytes();
        let (header, encoded, counts) = coders.lend(|coder| {
            coder.input = bytes;
            encode(coder, *coding)
        });
        self.batch.extend_from_slice(&header.encode(file.bytes));
        self.batch.extend_from_slice(&encoded);
        self.counts.add(counts);
        Ok(hash)
    }
}

/// Adds a file's bytes to a buffer.
fn read_file(parents: &mut Parents<'_>, file: &Thing, buffer: &mut Vec<u8>) -> Result<()> {
    let (folder, name) = parents.place(&file.path)?;
    let opened = at(&file.path, folder.open_with(&name, &platform::reading()))?.into_std();
    let stat = at(&file.path, platform::stat_of(&opened))?;
    let is_as_offered = stat.kind == Kind::File
        && stat.bytes == u64::from(file.bytes)
        && stat.mtime_ms == file.mtime_ms;
    if is_as_offered {
        let whole = buffer.len() + file.bytes as usize;
        let read = platform::read_onto(&opened, 0, file.bytes as usize, buffer);
        at(&file.path, read)?;
        if buffer.len() == whole {
            return Ok(());
        }
    }
    let text = format!("{}: the file is not what was offered", shown(&file.path));
    Err(EngineError::new(Code::SourceChanged, text))
}
