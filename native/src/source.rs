//! A file that is read.

use std::{fs::File, sync::Arc};

use bytes::Bytes;
use cap_std::fs::Dir;
use napi::bindgen_prelude::Buffer;
use napi_derive::napi;

use crate::{
    disk_calls::DiskCalls,
    error::{Code, EngineError, Result},
    handle::Handle,
    hash::{PieceHasher, Value},
    listing::{Stat, StatObject},
    mapping::Mapping,
    path::{at, open_file, place_below, shown},
    piece::{Piece, Run, RunOptions},
    platform,
    runtime::blocking,
    spent::{Doing, Spent},
};

/// Bytes that are read, hashed and handed on at a time: they stay in the processor's cache meanwhile.
///
/// Measured with both ends on two cores: 32, 64 and 128 KiB are alike; in the prototype 128 KiB gave 374 MB/s,
/// 1 MiB 302, single packets 278.
pub const STEP_BYTES: usize = 64 * 1024;

/// An open file and how its bytes are got at.
pub struct Source {
    file: File,
    mapping: Option<Mapping>,
    opened: Stat,
    path: Vec<u8>,
    calls: DiskCalls,
}

/// A whole piece, read and hashed.
pub struct ReadPiece {
    /// The piece's bytes in order.
    pub chunks: Vec<Bytes>,
    /// The piece's value.
    pub value: Value,
}

impl Source {
    /// Opens an ordinary file; a link is not followed.
    pub fn open(root: &Dir, path: &[u8], memory_map: bool) -> Result<Self> {
        let place = place_below(root, path)?;
        let (file, opened) = open_file(&place, path, &platform::reading())?;
        let mapping = if memory_map && opened.bytes > 0 {
            at(path, Mapping::new(&file))?
        } else {
            None
        };
        Ok(Self {
            file,
            mapping,
            opened,
            path: path.to_vec(),
            calls: DiskCalls::default(),
        })
    }

    /// Asks the system to fetch a part of the file ahead of its reading.
    pub fn advise(&self, offset: u64, length: u64) {
        platform::advise_reading(&self.file, offset, length);
    }

    /// Reads and hashes a piece as a whole, so that its header can still say that it is absent.
    ///
    /// Gives way to the network between two steps.
    pub async fn read_piece(&self, piece: &Piece, spent: &Spent) -> Result<ReadPiece> {
        let mut hasher = PieceHasher::new(piece);
        let mut chunks = Vec::with_capacity((piece.bytes as usize).div_ceil(STEP_BYTES));
        for (offset, bytes) in steps(piece) {
            chunks.push(self.read_step(offset, bytes, &mut hasher, spent)?);
            tokio::task::yield_now().await;
        }
        Ok(ReadPiece {
            chunks,
            value: hasher.value(),
        })
    }

    /// Reads a piece into a buffer in place of what is in it, and returns the piece's value.
    pub fn read_into(&self, piece: &Piece, buffer: &mut Vec<u8>, spent: &Spent) -> Result<Value> {
        buffer.clear();
        self.read_steps(piece, spent, |bytes| buffer.extend_from_slice(bytes))
    }

    /// Returns the values of a run's pieces.
    fn hash_run(&self, run: Run) -> Result<Vec<u8>> {
        let mut values = Vec::new();
        // It is no stream's time.
        let spent = Spent::default();
        for piece in run.pieces() {
            values.extend(self.read_steps(&piece, &spent, |_| {})?);
        }
        Ok(values)
    }

    /// The file itself, for the system to copy from.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Reads bytes without hashing them.
    pub fn read(&self, offset: u64, length: usize) -> Result<Vec<u8>> {
        let bytes = at(&self.path, platform::read_at(&self.file, offset, length))?;
        if bytes.len() < length {
            return Err(self.is_too_short());
        }
        Ok(bytes)
    }

    /// Gives a piece's bytes to `call`, step by step, and returns the piece's value.
    fn read_steps(
        &self,
        piece: &Piece,
        spent: &Spent,
        mut call: impl FnMut(&[u8]),
    ) -> Result<Value> {
        let mut hasher = PieceHasher::new(piece);
        for (offset, bytes) in steps(piece) {
            call(&self.read_step(offset, bytes, &mut hasher, spent)?);
        }
        Ok(hasher.value())
    }

    fn read_step(
        &self,
        offset: u64,
        wanted: usize,
        hasher: &mut PieceHasher,
        spent: &Spent,
    ) -> Result<Bytes> {
        let reading = spent.enter(Doing::Disk);
        let chunk = match &self.mapping {
            None => {
                let read = || platform::read_at(&self.file, offset, wanted);
                at(&self.path, self.calls.run(read))?.into()
            }
            Some(mapping) => mapping.bytes(offset, wanted),
        };
        // A mapping is read by whoever looks at it first.
        let reading = self.mapping.is_some().then_some(reading);
        hasher.update(&chunk);
        drop(reading);
        if chunk.len() == wanted && !self.is_torn(offset + wanted as u64)? {
            return Ok(chunk);
        }
        Err(self.is_too_short())
    }

    fn is_too_short(&self) -> EngineError {
        let text = format!("{}: the file became shorter", shown(&self.path));
        EngineError::new(Code::SourceChanged, text)
    }

    /// Tells whether a mapping showed zeros up to `end` where the file no longer is.
    ///
    /// The page in which a shortened file ends is there, so its size must be looked at, too.
    fn is_torn(&self, end: u64) -> Result<bool> {
        let Some(mapping) = &self.mapping else {
            return Ok(false);
        };
        Ok(mapping.is_torn() || at(&self.path, platform::stat_of(&self.file))?.bytes < end)
    }
}

/// Cuts a piece into offsets and lengths of at most [`STEP_BYTES`].
fn steps(piece: &Piece) -> impl Iterator<Item = (u64, usize)> {
    let (offset, bytes) = (piece.offset, piece.bytes as usize);
    (0..bytes)
        .step_by(STEP_BYTES)
        .map(move |done| (offset + done as u64, STEP_BYTES.min(bytes - done)))
}

/// A file that is read; see `SourceFile` in `engine.ts`.
#[napi]
pub struct SourceFile {
    source: Handle<Source>,
    opened: Stat,
}

impl SourceFile {
    /// Gives an open file to JavaScript.
    pub fn new(source: Source) -> Self {
        Self {
            opened: source.opened,
            source: Handle::new("file", source),
        }
    }

    /// Returns the open file.
    pub fn source(&self) -> Result<Arc<Source>> {
        self.source.open()
    }
}

#[napi]
impl SourceFile {
    /// What the file was when it was opened.
    #[napi(getter)]
    pub fn opened(&self) -> StatObject {
        self.opened.into()
    }

    /// What the file is now.
    #[napi]
    pub async fn stat(&self) -> Result<StatObject> {
        let source = self.source()?;
        blocking(move || Ok(at(&source.path, platform::stat_of(&source.file))?.into())).await
    }

    /// Returns the values of a run's pieces, 32 bytes a piece.
    #[napi]
    pub async fn hash_run(&self, run: RunOptions) -> Result<Buffer> {
        let source = self.source()?;
        let run = Run::new(&run)?;
        Ok(blocking(move || source.hash_run(run)).await?.into())
    }

    /// Frees the file; a verb that reads it ends first.
    #[napi]
    pub fn close(&self) {
        self.source.close();
    }
}
