//! A file that is read.

use std::{
    fs::File,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use cap_std::fs::Dir;
use napi_derive::napi;

use crate::{
    error::{Code, EngineError, Result},
    hash::{PieceHasher, Value},
    listing::{Kind, Stat, StatObject},
    mapping::Mapping,
    path::{at, place_below, wrong_kind},
    piece::Piece,
    platform,
    runtime::blocking,
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
        let opened = place.folder.open_with(&place.name, &platform::reading());
        let file = at(path, opened)?.into_std();
        let opened = at(path, platform::stat_of(&file))?;
        if opened.kind != Kind::File {
            return Err(wrong_kind(path, "a file"));
        }
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
        })
    }

    /// Asks the system to fetch a part of the file ahead of its reading.
    pub fn advise(&self, offset: u64, length: u64) {
        platform::advise_reading(&self.file, offset, length);
    }

    /// Reads and hashes a piece as a whole, so that its header can still say that it is absent.
    ///
    /// Gives way to the network between two steps.
    pub async fn read_piece(&self, piece: &Piece) -> Result<ReadPiece> {
        let mut hasher = PieceHasher::new(piece);
        let mut chunks = Vec::with_capacity(piece.bytes as usize / STEP_BYTES + 3);
        let mut done = 0;
        while done < piece.bytes {
            let wanted = (piece.bytes - done).min(STEP_BYTES as u32);
            let chunk =
                self.read_step(piece.offset + u64::from(done), wanted as usize, &mut hasher)?;
            chunks.push(chunk);
            done += wanted;
            tokio::task::yield_now().await;
        }
        Ok(ReadPiece {
            chunks,
            value: hasher.value(),
        })
    }

    fn read_step(&self, offset: u64, wanted: usize, hasher: &mut PieceHasher) -> Result<Bytes> {
        let chunk = match &self.mapping {
            None => at(&self.path, platform::read_at(&self.file, offset, wanted))?.into(),
            Some(mapping) => mapping.bytes(offset, wanted),
        };
        hasher.update(&chunk);
        if chunk.len() == wanted && !self.is_torn(offset + wanted as u64)? {
            return Ok(chunk);
        }
        let shown = String::from_utf8_lossy(&self.path);
        let text = format!(
            "{}: the file became shorter while it was sent",
            shown.escape_debug()
        );
        Err(EngineError::new(Code::SourceChanged, text))
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

/// A file that is read; see `SourceFile` in `engine.ts`.
#[napi]
pub struct SourceFile {
    source: Mutex<Option<Arc<Source>>>,
    opened: Stat,
}

impl SourceFile {
    /// Gives an open file to JavaScript.
    pub fn new(source: Source) -> Self {
        Self {
            opened: source.opened,
            source: Mutex::new(Some(Arc::new(source))),
        }
    }

    /// Returns the open file.
    pub fn source(&self) -> Result<Arc<Source>> {
        let source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        source.clone().ok_or_else(|| EngineError::cancelled("file"))
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

    /// Frees the file; a verb that reads it ends first.
    #[napi]
    pub fn close(&self) {
        self.source
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
    }
}
