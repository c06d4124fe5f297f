//! A file that is being received.

use std::{fs::File, io, ops::Range, sync::Arc};

use cap_std::fs::Dir;
use napi_derive::napi;

use crate::{
    disk_calls::DiskCalls,
    error::{EngineError, Result},
    handle::Handle,
    listing::StatObject,
    path::{at, open_file, place_below, refuse_other_names},
    piece::exact,
    platform,
    runtime::blocking,
    source::Source,
    source_file::SourceFile,
};

/// Bytes that are copied at a time where the system does not copy by itself.
const COPY_BYTES: u64 = 1 << 20;

/// An open file that lanes write into.
pub struct Partial {
    file: File,
    path: Vec<u8>,
    calls: DiskCalls,
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
            calls: DiskCalls::default(),
        })
    }

    /// Opens a file that is there, of one name only, and gives it its size.
    pub fn open(root: &Dir, path: &[u8], bytes: u64) -> Result<Self> {
        let place = place_below(root, path)?;
        let (file, opened) = open_file(&place, path, &platform::changing())?;
        refuse_other_names(&file, path)?;
        if opened.bytes != bytes {
            let resized = resize(&file, bytes);
            if resized.is_err() {
                // Blocks that do not suffice are given back; why they do not is the failure that counts.
                let _ = file.set_len(opened.bytes);
            }
            at(path, resized)?;
        }
        Ok(Self {
            file,
            path: path.to_vec(),
            calls: DiskCalls::default(),
        })
    }

    /// Writes all bytes at an offset.
    pub fn write(&self, bytes: &[u8], offset: u64) -> Result<()> {
        let write = || platform::write_at(&self.file, bytes, offset);
        at(&self.path, self.calls.run(write))
    }

    /// Copies a range of another file to the same place here.
    fn copy_from(&self, source: &Source, range: Range<u64>) -> Result<()> {
        let mut offset = range.start;
        while offset < range.end {
            offset += self.copy_some(source, offset, range.end - offset)?;
        }
        Ok(())
    }

    /// Copies the first bytes of a range and returns how many.
    fn copy_some(&self, source: &Source, offset: u64, length: u64) -> Result<u64> {
        if let Some(file) = source.file() {
            let copied = platform::copy_range(file, &self.file, offset, length);
            let copied = at(&self.path, copied)?;
            if copied > 0 {
                return Ok(copied);
            }
        }
        let length = length.min(COPY_BYTES);
        self.write(&source.read(offset, length as usize)?, offset)?;
        Ok(length)
    }
}

/// Reserves a file's blocks, then gives it its size: who finds the right size takes the blocks for reserved.
fn resize(file: &File, bytes: u64) -> io::Result<()> {
    if bytes > 0 {
        platform::reserve(file, bytes)?;
    }
    file.set_len(bytes)
}

/// A file that is being received; see `PartialFile` in `engine.ts`.
#[napi]
pub struct PartialFile {
    partial: Handle<Partial>,
}

impl PartialFile {
    /// Gives an open file to JavaScript.
    pub fn new(partial: Partial) -> Self {
        Self {
            partial: Handle::new("file", partial),
        }
    }

    /// Returns the open file.
    pub fn partial(&self) -> Result<Arc<Partial>> {
        self.partial.open()
    }
}

#[napi]
impl PartialFile {
    /// What the file is now.
    #[napi]
    pub async fn stat(&self) -> Result<StatObject> {
        let partial = self.partial()?;
        blocking(move || Ok(at(&partial.path, platform::stat_of(&partial.file))?.into())).await
    }

    /// Copies bytes of another file to the same offset here.
    #[napi]
    pub async fn copy_from(&self, source: &SourceFile, offset: f64, length: f64) -> Result<()> {
        let partial = self.partial()?;
        let source = source.source()?;
        let start = exact("offset", offset)?;
        let range = start..start + exact("length", length)?;
        blocking(move || partial.copy_from(&source, range)).await
    }

    /// Returns when the bytes and the size are on the disk.
    #[napi]
    pub async fn sync(&self) -> Result<()> {
        let partial = self.partial()?;
        blocking(move || at(&partial.path, partial.file.sync_all())).await
    }

    /// Frees the file; a verb that writes it ends first.
    #[napi]
    pub fn close(&self) {
        self.partial.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_copied_where_the_system_refuses_to_do_it() {
        let path = std::env::temp_dir().join(format!("quiver-copy-{}", std::process::id()));
        let content: Vec<u8> = (0..3_000_000_u32).map(|i| (i % 251) as u8).collect();
        std::fs::create_dir(&path).unwrap();
        std::fs::write(path.join("file"), &content).unwrap();
        let root = platform::open_folder(path.as_os_str()).unwrap();
        let source = Source::open(&root, b"file", false).unwrap();
        let partial = Partial::open(&root, b"file", 3_000_000).unwrap();

        // Linux copies no range of a file onto itself.
        let whole = partial.copy_from(&source, 0..3_000_000);
        let beyond = partial.copy_from(&source, 2_999_999..3_000_001);
        let copied = std::fs::read(path.join("file")).unwrap();
        std::fs::remove_dir_all(&path).unwrap();

        assert!(whole.is_ok());
        let error = beyond.unwrap_err().to_string();
        assert!(error.starts_with("SOURCE_CHANGED: file: "), "{error}");
        assert_eq!(copied, content);
    }
}
