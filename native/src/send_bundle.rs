//! Sends many small files on one stream.

use std::sync::Arc;

use bytes::Bytes;
use cap_std::fs::Dir;
use tokio::sync::mpsc;

use crate::{
    bundle::{BundledFile, BundledResult, Parents, Status},
    error::{Code, EngineError, Result},
    listing::Kind,
    path::at,
    piece::Header,
    platform,
    stream::Outgoing,
};

/// Bytes that are gathered before they are handed to the stream.
const BATCH_BYTES: usize = 256 * 1024;
/// Batches that are read ahead of the network.
const BATCHES_AHEAD: usize = 2;

/// Writes `header`, then each file as one piece; one that changed or vanished is sent as absent.
///
/// The files are read on a thread of their own, a few batches ahead of the network.
pub async fn send_bundle(
    outgoing: &mut Outgoing<'_>,
    header: &[u8],
    folder: Arc<Dir>,
    files: Vec<BundledFile>,
) -> Result<Vec<BundledResult>> {
    outgoing
        .write(&mut [Bytes::copy_from_slice(header)])
        .await?;
    let (sender, mut batches) = mpsc::channel(BATCHES_AHEAD);
    let reading = tokio::task::spawn_blocking(move || read_files(&folder, &files, &sender));
    while let Some(batch) = batches.recv().await {
        outgoing.write(&mut [batch]).await?;
    }
    Ok(reading.await?)
}

fn read_files(
    root: &Dir,
    files: &[BundledFile],
    sender: &mpsc::Sender<Bytes>,
) -> Vec<BundledResult> {
    let mut results = Vec::with_capacity(files.len());
    // A vector: a `BytesMut` is extended byte by byte.
    let mut batch = Vec::with_capacity(BATCH_BYTES);
    let mut parents = Parents::new(root);
    for file in files {
        results.push(match read_file(&mut parents, file) {
            Ok(bytes) => {
                let hash = *blake3::hash(&bytes).as_bytes();
                batch.extend_from_slice(&Header::Plain.encode(file.bytes));
                batch.extend_from_slice(&bytes);
                batch.extend_from_slice(&hash);
                BundledResult::ok(hash)
            }
            Err(error) => {
                batch.extend_from_slice(&Header::Absent.encode(0));
                BundledResult::without_hash(Status::Absent, Some(error))
            }
        });
        if batch.len() >= BATCH_BYTES {
            let full = std::mem::replace(&mut batch, Vec::with_capacity(BATCH_BYTES));
            // The stream was given up: nobody wants the rest.
            if sender.blocking_send(full.into()).is_err() {
                return results;
            }
        }
    }
    // The same, and this was the rest.
    let _ = sender.blocking_send(batch.into());
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
        let bytes = at(
            &file.path,
            platform::read_at(&opened, 0, file.bytes as usize),
        )?;
        if bytes.len() == file.bytes as usize {
            return Ok(bytes);
        }
    }
    let shown = String::from_utf8_lossy(&file.path);
    let text = format!("{}: the file is not what was offered", shown.escape_debug());
    Err(EngineError::new(Code::SourceChanged, text))
}
