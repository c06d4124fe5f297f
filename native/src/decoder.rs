//! The codecs that a stream takes, and the coders that make its pieces whole again.

use std::sync::{
    Arc,
    atomic::{AtomicU8, Ordering},
};

use crate::{
    codec::{Codec, CodecSet},
    coder::Coders,
    error::Result,
    piece::{HEADER_BYTES, Header},
};

/// What a stream decodes with.
pub struct Decoder {
    coders: Arc<Coders>,
    codecs: AtomicU8,
}

impl Decoder {
    /// Begins with pieces as they are, and no others.
    pub fn new(coders: Arc<Coders>) -> Self {
        Self {
            coders,
            codecs: AtomicU8::default(),
        }
    }

    /// Takes pieces of these codecs, too, from the next verb on.
    pub fn take(&self, codecs: CodecSet) {
        self.codecs.store(codecs.bits(), Ordering::Relaxed);
    }

    /// Reads the header of a piece that must have `bytes` bytes.
    pub fn header(&self, header: [u8; HEADER_BYTES], bytes: u32) -> Result<Header> {
        let codecs = CodecSet::of_bits(self.codecs.load(Ordering::Relaxed));
        Header::decode(header, bytes, codecs)
    }

    /// Decodes a piece of exactly `bytes` bytes and gives it to `call`.
    pub fn decode<T>(
        &self,
        codec: Codec,
        encoded: &[u8],
        bytes: u32,
        call: impl FnOnce(&[u8]) -> T,
    ) -> Result<T> {
        self.coders
            .lend(|coder| Ok(call(coder.decode(codec, encoded, bytes as usize)?)))
    }
}
