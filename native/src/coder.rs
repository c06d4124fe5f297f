//! Makes pieces smaller and whole again; never larger than they are.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zstd::{
    bulk::{Compressor, Decompressor},
    zstd_safe::find_frame_compressed_size,
};

use crate::{
    codec::{Codec, Coding},
    error::{EngineError, Result},
};

/// The state of both codecs and their buffers, used for one piece after the other.
#[derive(Default)]
pub struct Coder {
    /// A piece to be encoded.
    pub input: Vec<u8>,
    output: Vec<u8>,
    compressor: Option<(i32, Compressor<'static>)>,
    decompressor: Decompressor<'static>,
}

impl Coder {
    /// Encodes the input; nothing where that would not be smaller.
    pub fn encode(&mut self, coding: Coding) -> Option<&[u8]> {
        let most = self.input.len().checked_sub(1)?;
        let room = match coding.codec {
            // LZ4 has no way to stop where its output is too large.
            Codec::Lz4 => lz4_flex::block::get_maximum_output_size(self.input.len()),
            Codec::Zstd => most,
        };
        if self.output.len() < room {
            self.output.resize(room, 0);
        }
        let output = &mut self.output[..room];
        let bytes = match coding.codec {
            Codec::Lz4 => lz4_flex::block::compress_into(&self.input, output).ok()?,
            Codec::Zstd => compressor(&mut self.compressor, coding.level)?
                .compress_to_buffer(&self.input, output)
                .ok()?,
        };
        (bytes <= most).then(|| &self.output[..bytes])
    }

    /// Decodes a piece of exactly `bytes` bytes; anything else is a malformed one.
    pub fn decode(&mut self, codec: Codec, encoded: &[u8], bytes: usize) -> Result<&[u8]> {
        if self.output.len() < bytes {
            self.output.resize(bytes, 0);
        }
        // Nothing is written beyond the piece, whatever the encoded bytes say of themselves.
        let output = &mut self.output[..bytes];
        let decoded = match codec {
            Codec::Lz4 => lz4_flex::block::decompress_into(encoded, output).ok(),
            Codec::Zstd => decompress(&mut self.decompressor, encoded, output),
        };
        if decoded == Some(bytes) {
            return Ok(&self.output[..bytes]);
        }
        Err(EngineError::frame(format!(
            "a piece of {bytes} bytes was encoded as something else"
        )))
    }
}

/// The compressor of a level; it is made anew where the level changes.
fn compressor<'a>(
    kept: &'a mut Option<(i32, Compressor<'static>)>,
    level: i32,
) -> Option<&'a mut Compressor<'static>> {
    if kept.as_ref().is_none_or(|(of, _)| *of != level) {
        *kept = Some((level, Compressor::new(level).ok()?));
    }
    kept.as_mut().map(|(_, compressor)| compressor)
}

/// Decodes one frame; what is behind it, or another one, is malformed.
fn decompress(
    decompressor: &mut Decompressor<'_>,
    encoded: &[u8],
    output: &mut [u8],
) -> Option<usize> {
    let is_one = find_frame_compressed_size(encoded) == Ok(encoded.len());
    let decoded = decompressor.decompress_to_buffer(encoded, output).ok();
    decoded.filter(|_| is_one)
}

/// An endpoint's coders: as many as it may use at once, kept for the next piece.
pub struct Coders {
    permits: Arc<Semaphore>,
    most: usize,
    idle: Mutex<Vec<Coder>>,
}

impl Coders {
    /// Starts with none; so many are kept, and so many permits are given.
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            permits: Arc::new(Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS))),
            most,
            idle: Mutex::default(),
        })
    }

    /// Waits until fewer pieces than allowed are being encoded.
    pub async fn permit(&self) -> Result<OwnedSemaphorePermit> {
        let permits = Arc::clone(&self.permits);
        permits
            .acquire_owned()
            .await
            .map_err(|_| EngineError::cancelled("endpoint"))
    }

    /// Lends a coder for one call.
    pub fn lend<T>(&self, call: impl FnOnce(&mut Coder) -> T) -> T {
        let mut coder = self.idle().pop().unwrap_or_default();
        let result = call(&mut coder);
        let mut idle = self.idle();
        if idle.len() < self.most {
            idle.push(coder);
        }
        result
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Coder>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODINGS: [Coding; 3] = [
        Coding {
            codec: Codec::Lz4,
            level: 0,
        },
        Coding {
            codec: Codec::Zstd,
            level: -5,
        },
        Coding {
            codec: Codec::Zstd,
            level: 19,
        },
    ];

    fn encoded(coding: Coding, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut coder = Coder {
            input: bytes.to_vec(),
            ..Coder::default()
        };
        coder.encode(coding).map(<[u8]>::to_vec)
    }

    #[test]
    fn what_was_encoded_is_decoded_within_the_pieces_size_only() {
        let text = b"to and fro, ".repeat(700);
        for coding in CODINGS {
            let small = encoded(coding, &text).unwrap();
            let mut coder = Coder::default();

            assert!(small.len() < text.len() / 2);
            assert_eq!(
                coder.decode(coding.codec, &small, text.len()).unwrap(),
                text
            );
            for wrong in [0, 1, text.len() - 1, text.len() + 1, 2 * text.len()] {
                let error = coder.decode(coding.codec, &small, wrong).unwrap_err();
                assert!(error.to_string().starts_with("INVALID_FRAME: "), "{wrong}");
            }
            for broken in [small.repeat(2), small[..small.len() / 2].to_vec()] {
                assert!(coder.decode(coding.codec, &broken, text.len()).is_err());
            }
        }
    }

    #[test]
    fn what_does_not_get_smaller_is_not_encoded() {
        let mut state = 1_u64;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        })
        .take(100_000)
        .collect();
        for coding in CODINGS {
            for bytes in [&noise[..], &noise[..1], &[]] {
                assert_eq!(encoded(coding, bytes), None, "{coding:?} {}", bytes.len());
            }
        }
    }

    #[test]
    fn a_coder_is_used_again_and_no_more_are_kept_than_allowed() {
        let coders = Coders::new(1);
        coders.lend(|coder| {
            coder.input = vec![1; 10];
            coders.lend(|other| assert!(other.input.is_empty()));
        });

        assert_eq!(coders.idle().len(), 1);
    }
}
