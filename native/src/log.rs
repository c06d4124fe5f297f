//! A file that grows at its end only, by one process at a time.

use std::{
    fs::{File, TryLockError},
    sync::{Mutex, MutexGuard, PoisonError},
};

use cap_std::fs::Dir;
use napi::bindgen_prelude::{Buffer, Uint8Array};
use napi_derive::napi;

use crate::{
    error::{Code, EngineError, Result},
    handle::Handle,
    path::{at, open_file, place_below, refuse_other_names, shown},
    piece::exact,
    platform,
    runtime::blocking,
};

/// Bytes of a log that are read at once, at most.
const LARGEST_BYTES: u64 = 1 << 30;

/// An open log and the lock on it.
pub struct Log {
    file: File,
    path: Vec<u8>,
    /// Where the next bytes go. Locked while the file is read or changed.
    end: Mutex<u64>,
}

impl Log {
    /// Opens a log for this handle alone; creates it if nothing is there.
    pub fn open(root: &Dir, path: &[u8]) -> Result<Self> {
        let place = place_below(root, path)?;
        let (file, _) = open_file(&place, path, &platform::changing_or_creating(0o600))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(busy(path)),
            Err(TryLockError::Error(error)) => return Err(EngineError::disk(&error, path)),
        }
        let locked = at(path, platform::stat_of(&file))?;
        refuse_other_names(&file, path)?;
        // Whoever had the lock before may have removed the file: a lock on what has no name excludes nobody.
        let named = platform::stat_at(&place.folder, &place.name);
        if !named.is_ok_and(|named| named.is_same_file(&locked)) {
            return Err(busy(path));
        }
        Ok(Self {
            file,
            path: path.to_vec(),
            end: Mutex::new(locked.bytes),
        })
    }

    /// Returns bytes from an offset, fewer at the log's end.
    fn read(&self, offset: u64, most: u64) -> Result<Vec<u8>> {
        let end = self.end();
        let length = most.min(end.saturating_sub(offset));
        if length > LARGEST_BYTES {
            let text = format!(
                "{}: {length} bytes at once are over 1 GiB",
                shown(&self.path)
            );
            return Err(EngineError::new(Code::LimitExceeded, text));
        }
        at(
            &self.path,
            platform::read_at(&self.file, offset, length as usize),
        )
    }

    /// Adds bytes at the end; where that fails, none of them stay.
    fn append(&self, bytes: &[u8]) -> Result<()> {
        let mut end = self.end();
        let written = platform::write_at(&self.file, bytes, *end);
        if written.is_ok() {
            *end += bytes.len() as u64;
        } else {
            // The reason why nothing could be added is worth more than one why this failed.
            let _ = self.file.set_len(*end);
        }
        at(&self.path, written)
    }

    /// Cuts the log to its first `bytes` bytes; a shorter one stays as it is.
    fn truncate(&self, bytes: u64) -> Result<()> {
        let mut end = self.end();
        if bytes < *end {
            at(&self.path, self.file.set_len(bytes))?;
            *end = bytes;
        }
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        at(&self.path, self.file.sync_data())
    }

    fn end(&self) -> MutexGuard<'_, u64> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Log {
    /// Unlocks first: Windows takes its time to do it, and a process that is being started may have a copy of the handle.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

fn busy(path: &[u8]) -> EngineError {
    let text = format!("{} is in use by another process", shown(path));
    EngineError::new(Code::DiskBusy, text)
}

/// A log; see `LogFile` in `engine.ts`.
#[napi]
pub struct LogFile {
    log: Handle<Log>,
}

impl LogFile {
    /// Gives an open log to JavaScript.
    pub fn new(log: Log) -> Self {
        Self {
            log: Handle::new("log", log),
        }
    }
}

#[napi]
impl LogFile {
    /// Returns at most `length` bytes from an offset, fewer at the log's end.
    #[napi]
    pub async fn read(&self, offset: f64, length: f64) -> Result<Buffer> {
        let log = self.log.open()?;
        let offset = exact("offset", offset)?;
        let length = exact("length", length)?;
        Ok(blocking(move || log.read(offset, length)).await?.into())
    }

    /// Adds bytes at the end.
    #[napi]
    pub async fn append(&self, bytes: Uint8Array) -> Result<()> {
        let log = self.log.open()?;
        let bytes = bytes.to_vec();
        blocking(move || log.append(&bytes)).await
    }

    /// Cuts the log to its first bytes.
    #[napi]
    pub async fn truncate(&self, bytes: f64) -> Result<()> {
        let log = self.log.open()?;
        let bytes = exact("log size", bytes)?;
        blocking(move || log.truncate(bytes)).await
    }

    /// Returns when the bytes and the size are on the disk.
    #[napi]
    pub async fn sync(&self) -> Result<()> {
        let log = self.log.open()?;
        blocking(move || log.sync()).await
    }

    /// Frees the log and its lock; a call that is under way ends first.
    #[napi]
    pub fn close(&self) {
        self.log.close();
    }
}
