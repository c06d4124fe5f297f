//! A file that is read.

use std::fs::File;

use bytes::Bytes;
use cap_std::fs::Dir;

use crate::{
    disk_calls::DiskCalls,
    error::{Code, EngineError, Result},
    hash::{PieceHasher, Value},
    listing::{Kind, Stat},
    mapping::Mapping,
    path::{at, open_file, place_below, shown},
    piece::{Piece, Run},
    platform,
    spent::{Doing, Spent},
};

/// Bytes that are read, hashed and handed on at a time: they stay in the processor's cache meanwhile.
///
/// Measured with both ends on two cores: 32, 64 and 128 KiB are alike; in the prototype 128 KiB gave 374 MB/s,
/// 1 MiB 302, single packets 278.
pub const STEP_BYTES: usize = 64 * 1024;

/// An open file, or what takes its place, and how its bytes are got at.
pub struct Source {
    content: Content,
    /// What the file was when it was opened.
    pub opened: Stat,
    path: Vec<u8>,
    calls: DiskCalls,
}

/// Where the bytes are.
enum Content {
    /// In a file, read at their places.
    File(File),
    /// In a file that is mapped.
    Mapped(File, Mapping),
    /// In memory, from this offset on.
    Held(Bytes, u64),
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
        let content = match mapping {
            Some(mapping) => Content::Mapped(file, mapping),
            None => Content::File(file),
        };
        Ok(Self {
            content,
            opened,
            path: path.to_vec(),
            calls: DiskCalls::default(),
        })
    }

    /// Stands for a file of which these bytes, from an offset on, are in memory and nothing else is.
    pub fn hold(bytes: Bytes, offset: u64) -> Self {
        let opened = Stat {
            kind: Kind::File,
            bytes: offset + bytes.len() as u64,
            mode: 0o600,
            mtime_ms: 0,
            device: 0,
            number: 0,
        };
        Self {
            content: Content::Held(bytes, offset),
            opened,
            path: b"what is held in memory".to_vec(),
            calls: DiskCalls::default(),
        }
    }

    /// Asks the system to fetch a part of the file ahead of its reading.
    pub fn advise(&self, offset: u64, length: u64) {
        if let Some(file) = self.file() {
            platform::advise_reading(file, offset, length);
        }
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
    pub fn hash_run(&self, run: Run) -> Result<Vec<u8>> {
        let mut values = Vec::new();
        // It is no stream's time.
        let spent = Spent::default();
        for piece in run.pieces() {
            values.extend(self.read_steps(&piece, &spent, |_| {})?);
        }
        Ok(values)
    }

    /// The file itself, for the system to copy from; what is held in memory has none.
    pub fn file(&self) -> Option<&File> {
        match &self.content {
            Content::File(file) | Content::Mapped(file, _) => Some(file),
            Content::Held(..) => None,
        }
    }

    /// Reads bytes without hashing them.
    pub fn read(&self, offset: u64, length: usize) -> Result<Bytes> {
        let bytes = match &self.content {
            Content::File(file) | Content::Mapped(file, _) => {
                at(&self.path, platform::read_at(file, offset, length))?.into()
            }
            Content::Held(bytes, start) => held(bytes, *start, offset, length),
        };
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
        let chunk = match &self.content {
            Content::File(file) => {
                let read = || platform::read_at(file, offset, wanted);
                at(&self.path, self.calls.run(read))?.into()
            }
            Content::Mapped(_, mapping) => mapping.bytes(offset, wanted),
            Content::Held(bytes, start) => held(bytes, *start, offset, wanted),
        };
        // A mapping is read by whoever looks at it first.
        let reading = matches!(self.content, Content::Mapped(..)).then_some(reading);
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
        let Content::Mapped(file, mapping) = &self.content else {
            return Ok(false);
        };
        Ok(mapping.is_torn() || at(&self.path, platform::stat_of(file))?.bytes < end)
    }

    /// What the file is now.
    pub fn stat(&self) -> Result<Stat> {
        match self.file() {
            Some(file) => at(&self.path, platform::stat_of(file)),
            None => Ok(self.opened),
        }
    }
}

/// The part of bytes, which begin at `start`, that begins at `offset`; nothing where it is not all there.
fn held(bytes: &Bytes, start: u64, offset: u64, length: usize) -> Bytes {
    let from = offset.checked_sub(start).map(usize::try_from);
    match from {
        Some(Ok(from)) if from <= bytes.len() && length <= bytes.len() - from => {
            bytes.slice(from..from + length)
        }
        _ => Bytes::new(),
    }
}

/// Cuts a piece into offsets and lengths of at most [`STEP_BYTES`].
fn steps(piece: &Piece) -> impl Iterator<Item = (u64, usize)> {
    let (offset, bytes) = (piece.offset, piece.bytes as usize);
    (0..bytes)
        .step_by(STEP_BYTES)
        .map(move |done| (offset + done as u64, STEP_BYTES.min(bytes - done)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_read_at_its_place_and_nowhere_else() {
        let source = Source::hold(Bytes::from_static(b"abcdef"), 1000);

        assert_eq!(source.read(1000, 6).unwrap(), "abcdef");
        assert_eq!(source.read(1002, 3).unwrap(), "cde");
        assert_eq!(source.opened.bytes, 1006);
        for (offset, length) in [(999, 2), (1005, 2), (1007, 1), (0, 1), (1000, usize::MAX)] {
            let error = source.read(offset, length).unwrap_err().to_string();
            assert!(error.starts_with("SOURCE_CHANGED"), "{error}");
        }
    }
}
