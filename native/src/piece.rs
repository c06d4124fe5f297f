//! The wire form of a piece (docs/protocol.md) and the cutting of a run into pieces. Pure.

use napi_derive::napi;

use crate::{
    codec::{Codec, CodecSet},
    error::{EngineError, Result},
};

/// Bytes of a piece's header.
pub const HEADER_BYTES: usize = 5;
/// Bytes of a piece's value.
pub const VALUE_BYTES: usize = 32;

const CODEC_PLAIN: u8 = 0;
const CODEC_ABSENT: u8 = 255;
/// A BLAKE3 subtree is at least one chunk of 1,024 bytes.
const SMALLEST_PIECE: u64 = 1024;
/// A piece is held in memory as a whole before its header is sent.
const LARGEST_PIECE: u64 = 16 << 20;
/// The values of a run's pieces are held until its end.
const MOST_PIECES: u64 = 65_536;
/// Integers of JavaScript are exact up to here.
const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;

/// What a piece's header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// The piece's bytes follow as they are, then its value.
    Plain,
    /// The piece's bytes follow as so many bytes of a codec, then its value.
    Encoded {
        /// What made them fewer.
        codec: Codec,
        /// How many follow; at least one, and fewer than the piece has.
        bytes: u32,
    },
    /// The sender could not read the piece; nothing follows.
    Absent,
}

impl Header {
    /// Returns the header's bytes for a piece of `bytes` bytes.
    pub fn encode(self, bytes: u32) -> [u8; HEADER_BYTES] {
        let (codec, length) = match self {
            Self::Plain => (CODEC_PLAIN, bytes),
            Self::Encoded { codec, bytes } => (codec as u8, bytes),
            Self::Absent => (CODEC_ABSENT, 0),
        };
        let [a, b, c, d] = length.to_be_bytes();
        [codec, a, b, c, d]
    }

    /// Reads the header of a piece that must have `bytes` bytes; other codecs than those are malformed.
    pub fn decode(header: [u8; HEADER_BYTES], bytes: u32, codecs: CodecSet) -> Result<Self> {
        let [number, a, b, c, d] = header;
        let length = u32::from_be_bytes([a, b, c, d]);
        if let Some(codec) = Codec::numbered(number).filter(|codec| codecs.has(*codec)) {
            if (1..bytes).contains(&length) {
                let bytes = length;
                return Ok(Self::Encoded { codec, bytes });
            }
            return Err(EngineError::frame(format!(
                "a piece of {bytes} bytes was encoded as {length}"
            )));
        }
        match number {
            CODEC_PLAIN if length == bytes => Ok(Self::Plain),
            CODEC_PLAIN => Err(EngineError::frame(format!(
                "a piece of {bytes} bytes was announced with {length}"
            ))),
            CODEC_ABSENT if length == 0 => Ok(Self::Absent),
            CODEC_ABSENT => Err(EngineError::frame(format!(
                "an absent piece was announced with {length} bytes"
            ))),
            other => Err(EngineError::frame(format!(
                "a piece has the codec {other}, which is not taken here"
            ))),
        }
    }
}

/// A run of pieces as JavaScript gives it; see `PieceRun` in `engine.ts`.
#[napi(object)]
pub struct RunOptions {
    /// First byte.
    pub offset: f64,
    /// Bytes.
    pub length: f64,
    /// Bytes of every piece but the file's last.
    pub piece_bytes: f64,
    /// Bytes of the whole file.
    pub file_bytes: f64,
}

/// A run of pieces of one file, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// First byte; a multiple of `piece_bytes`.
    pub offset: u64,
    /// Bytes; 0 only for an empty file.
    pub length: u64,
    /// A power of two.
    pub piece_bytes: u64,
    /// Bytes of the whole file.
    pub file_bytes: u64,
}

/// One piece of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// First byte.
    pub offset: u64,
    /// Bytes; 0 only for an empty file.
    pub bytes: u32,
    /// Whether the piece is the whole file, whose value is then the file's hash.
    pub is_whole_file: bool,
}

impl Run {
    /// Checks what JavaScript gives.
    pub fn new(options: &RunOptions) -> Result<Self> {
        let run = Self {
            offset: exact("offset", options.offset)?,
            length: exact("length", options.length)?,
            piece_bytes: piece_size(options.piece_bytes)?,
            file_bytes: exact("file size", options.file_bytes)?,
        };
        let end = run.offset + run.length;
        let is_aligned = run.offset.is_multiple_of(run.piece_bytes)
            && (end == run.file_bytes || run.length.is_multiple_of(run.piece_bytes));
        let has_pieces = run.length > 0 || run.file_bytes == 0;
        let is_short = run.length.div_ceil(run.piece_bytes) <= MOST_PIECES;
        if !is_aligned || !is_short || !has_pieces || end > run.file_bytes {
            return Err(EngineError::argument(format!(
                "{} bytes at {} are no whole pieces of {} bytes in a file of {}",
                run.length, run.offset, run.piece_bytes, run.file_bytes
            )));
        }
        Ok(run)
    }

    /// Returns the number of pieces; at least one.
    pub fn count(&self) -> usize {
        usize::try_from(self.length.div_ceil(self.piece_bytes).max(1)).unwrap_or(usize::MAX)
    }

    /// Yields the pieces in order.
    pub fn pieces(self) -> impl Iterator<Item = Piece> {
        (0..self.count() as u64).map(move |position| {
            let start = position * self.piece_bytes;
            let bytes = self.piece_bytes.min(self.length - start);
            Piece {
                offset: self.offset + start,
                bytes: u32::try_from(bytes).unwrap_or(u32::MAX),
                is_whole_file: self.file_bytes <= self.piece_bytes,
            }
        })
    }
}

/// Takes a whole number of JavaScript that is exact.
pub fn exact(what: &str, value: f64) -> Result<u64> {
    if value.fract() == 0.0 && (0.0..=LARGEST_EXACT).contains(&value) {
        return Ok(value as u64);
    }
    Err(EngineError::argument(format!(
        "{what}: {value} is no whole number from 0 to 2^53"
    )))
}

/// Takes a piece size: a power of two that a BLAKE3 subtree can have.
pub fn piece_size(value: f64) -> Result<u64> {
    let bytes = exact("piece size", value)?;
    if bytes.is_power_of_two() && (SMALLEST_PIECE..=LARGEST_PIECE).contains(&bytes) {
        return Ok(bytes);
    }
    Err(EngineError::argument(format!(
        "piece size: {bytes} is no power of two from {SMALLEST_PIECE} to {LARGEST_PIECE}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(offset: u64, length: u64, piece: u64, file: u64) -> Result<Run> {
        Run::new(&RunOptions {
            offset: offset as f64,
            length: length as f64,
            piece_bytes: piece as f64,
            file_bytes: file as f64,
        })
    }

    #[test]
    fn a_header_has_the_bytes_of_the_protocol() {
        assert_eq!(Header::Plain.encode(0x0001_0000), [0, 0, 1, 0, 0]);
        assert_eq!(Header::Absent.encode(7), [255, 0, 0, 0, 0]);
        let bytes = 3;
        let encoded = [Codec::Lz4, Codec::Zstd].map(|codec| Header::Encoded { codec, bytes });
        assert_eq!(encoded[0].encode(7), [1, 0, 0, 0, 3]);
        assert_eq!(encoded[1].encode(7), [2, 0, 0, 0, 3]);
    }

    #[test]
    fn a_header_that_says_another_length_is_refused() {
        let zstd = CodecSet::named(&["zstd".to_owned()]).unwrap();
        let decode = |header| Header::decode(header, 1024, zstd);

        assert_eq!(decode([0, 0, 0, 4, 0]).unwrap(), Header::Plain);
        assert_eq!(decode([255, 0, 0, 0, 0]).unwrap(), Header::Absent);
        let (codec, bytes) = (Codec::Zstd, 1023);
        assert_eq!(
            decode([2, 0, 0, 3, 255]).unwrap(),
            Header::Encoded { codec, bytes }
        );
        for bad in [
            [0, 0, 0, 4, 1],
            [0, 255, 255, 255, 255],
            [255, 0, 0, 0, 1],
            [1, 0, 0, 0, 4],
            [2, 0, 0, 0, 0],
            [2, 0, 0, 4, 0],
            [2, 255, 255, 255, 255],
            [3, 0, 0, 0, 4],
        ] {
            let error = decode(bad).unwrap_err().to_string();
            assert_eq!(error.split(':').next(), Some("INVALID_FRAME"), "{bad:?}");
        }
        assert!(Header::decode([2, 0, 0, 0, 0], 0, zstd).is_err());
    }

    #[test]
    fn a_run_is_cut_into_pieces_of_which_only_the_files_last_is_short() {
        let pieces: Vec<_> = run(1024, 1500, 1024, 2524).unwrap().pieces().collect();

        assert_eq!(
            pieces
                .iter()
                .map(|p| (p.offset, p.bytes))
                .collect::<Vec<_>>(),
            [(1024, 1024), (2048, 476)]
        );
        assert!(!pieces[0].is_whole_file);
    }

    #[test]
    fn an_empty_file_is_one_empty_piece() {
        let pieces: Vec<_> = run(0, 0, 1024, 0).unwrap().pieces().collect();

        assert_eq!(
            pieces,
            [Piece {
                offset: 0,
                bytes: 0,
                is_whole_file: true
            }]
        );
    }

    #[test]
    fn a_run_that_is_no_whole_pieces_is_refused() {
        let wrong = [
            (1, 1024, 1024, 4096),
            (0, 1000, 1024, 4096),
            (0, 0, 1024, 4096),
            (4096, 1024, 1024, 4096),
            (0, 3000, 3000, 3000),
            (0, 512, 512, 512),
        ];
        for (offset, length, piece, file) in wrong {
            assert!(
                run(offset, length, piece, file).is_err(),
                "{offset} {length} {piece} {file}"
            );
        }
        assert!(
            exact("x", 0.5).is_err() && exact("x", -1.0).is_err() && exact("x", f64::NAN).is_err()
        );
    }
}
