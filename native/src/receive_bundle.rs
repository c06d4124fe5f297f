//! Receives many small files from one stream.

use std::time::{Duration, SystemTime};

use cap_std::fs::Dir;

use crate::{
    bundle::{BundledResult, Status},
    error::Result,
    path::{Parents, at},
    piece::{HEADER_BYTES, Header, VALUE_BYTES},
    platform,
    receive_half::{Incoming, Intake},
    spent::Doing,
    things::Thing,
};

/// Reads one piece a target, creates each file, writes it, and sets its mode and mtime.
pub async fn receive_bundle(
    incoming: &mut Incoming<'_>,
    root: &Dir,
    intake: &Intake,
    targets: &[Thing],
) -> Result<Vec<BundledResult>> {
    let mut results = Vec::with_capacity(targets.len());
    let mut parents = Parents::new(root);
    let mut buffer = Vec::new();
    for target in targets {
        let received = receive_file(incoming, &mut parents, intake, target, &mut buffer);
        results.push(received.await?);
    }
    Ok(results)
}

/// Reads the piece of one file through the buffer and writes what its value confirms.
async fn receive_file(
    incoming: &mut Incoming<'_>,
    parents: &mut Parents<'_>,
    intake: &Intake,
    target: &Thing,
    buffer: &mut Vec<u8>,
) -> Result<BundledResult> {
    let mut header = [0; HEADER_BYTES];
    incoming.fill_all(&mut header).await?;
    let (codec, sent) = match intake.decoder.header(header, target.bytes)? {
        Header::Plain => (None, target.bytes),
        Header::Encoded { codec, bytes } => (Some(codec), bytes),
        Header::Absent => return Ok(BundledResult::without_hash(Status::Absent, None)),
    };
    buffer.resize(sent as usize + VALUE_BYTES, 0);
    incoming.fill_all(buffer).await?;
    let (sent, announced) = buffer.split_at(sent as usize);
    let decode = |codec| {
        let decoder = &intake.decoder;
        decoder.decode(codec, sent, target.bytes, <[u8]>::to_vec)
    };
    let decoded = codec.map(decode).transpose()?;
    let bytes = decoded.as_deref().unwrap_or(sent);
    let hash = *blake3::hash(bytes).as_bytes();
    if hash != announced {
        return Ok(BundledResult {
            hash,
            status: Status::Bad,
            failure: None,
        });
    }
    let _writing = incoming.spent().enter(Doing::Disk);
    let _permit = intake.permit().await?;
    let written = intake.calls.run(|| write_file(parents, target, bytes));
    Ok(match written {
        Ok(()) => BundledResult::ok(hash),
        Err(error) => BundledResult::without_hash(Status::Failed, Some(error)),
    })
}

fn write_file(parents: &mut Parents<'_>, target: &Thing, bytes: &[u8]) -> Result<()> {
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
