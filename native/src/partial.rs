//! A file that is being received.

use std::{
    fs::File,
    sync::{Arc, Mutex, PoisonError},
};

use cap_std::fs::Dir;
use napi_derive::napi;

use crate::{
    error::{EngineError, Result},
    path::{at, place_below},
    platform,
    runtime::blocking,
};

/// An open file that lanes write into.
pub struct Partial {
    file: File,
    path: Vec<u8>,
}

impl Partial {
    /// Creates a file that must not exist, with its blocks reserved; without them, nothing stays.
    pub fn create(root: &Dir, path: &[u8], bytes: u64, mode: u32) -> Result<Self> {
        let place = place_below(root, path)?;
        let created = place
            .folder
            .open_with(&place.name, &platform::creating(mode));
        let file = at(path, created)?.into_std();
        if bytes > 0
            && let Err(error) = platform::reserve(&file, bytes)
        {
            // The reason the blocks are not to be had is worth more than one why this failed.
            let _ = place.folder.remove_file(&place.name);
            return Err(EngineError::disk(&error, path));
        }
        Ok(Self {
            file,
            path: path.to_vec(),
        })
    }

    /// Writes all bytes at an offset.
    pub fn write(&self, bytes: &[u8], offset: u64) -> Result<()> {
        at(&self.path, platform::write_at(&self.file, bytes, offset))
    }
}

/// A file that is being received; see `PartialFile` in `engine.ts`.
#[napi]
pub struct PartialFile {
    partial: Mutex<Option<Arc<Partial>>>,
}

impl PartialFile {
    /// Gives an open file to JavaScript.
    pub fn new(partial: Partial) -> Self {
        Self {
            partial: Mutex::new(Some(Arc::new(partial))),
        }
    }

    /// Returns the open file.
    pub fn partial(&self) -> Result<Arc<Partial>> {
        let partial = self.partial.lock().unwrap_or_else(PoisonError::into_inner);
        partial
            .clone()
            .ok_or_else(|| EngineError::cancelled("file"))
    }
}

#[napi]
impl PartialFile {
    /// Returns when the bytes and the size are on the disk.
    #[napi]
    pub async fn sync(&self) -> Result<()> {
        let partial = self.partial()?;
        blocking(move || at(&partial.path, partial.file.sync_all())).await
    }

    /// Frees the file; a verb that writes it ends first.
    #[napi]
    pub fn close(&self) {
        self.partial
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
    }
}
