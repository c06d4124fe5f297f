//! How the pieces of a stream are made smaller, and what that has taken.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use bytes::Bytes;
use napi_derive::napi;

use crate::{
    codec::Coding,
    coder::{Coder, Coders},
    piece::Header,
};

/// A stream's coding, which may change between two verbs, and its counts.
pub struct Encoder {
    coders: Arc<Coders>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    coding: Option<Coding>,
    encoded: EncodedBytes,
}

impl Encoder {
    /// Begins with pieces as they are.
    pub fn new(coders: Arc<Coders>) -> Self {
        Self {
            coders,
            state: Mutex::default(),
        }
    }

    /// Has the pieces of later verbs encoded so.
    pub fn set_coding(&self, coding: Option<Coding>) {
        self.state().coding = coding;
    }

    /// How pieces are to be encoded now.
    pub fn encoding(&self) -> Option<Encoding> {
        let coding = self.state().coding?;
        let coders = Arc::clone(&self.coders);
        Some(Encoding { coding, coders })
    }

    /// Notes what encoding took.
    pub fn count(&self, bytes: EncodedBytes) {
        self.state().encoded.add(bytes);
    }

    /// What encoding has taken in and given so far.
    pub fn encoded(&self) -> EncodedBytes {
        self.state().encoded
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How pieces are encoded, and with what.
#[derive(Clone)]
pub struct Encoding {
    /// The codec and its level.
    pub coding: Coding,
    /// The endpoint's coders.
    pub coders: Arc<Coders>,
}

/// What encoding has taken in and given, and how long it took.
#[derive(Clone, Copy, Default)]
pub struct EncodedBytes {
    /// Bytes of pieces.
    pub raw: u64,
    /// Bytes sent for them.
    pub sent: u64,
    /// Nanoseconds that encoding took, over all threads.
    pub nanoseconds: u64,
}

/// What encoding has taken in and given; see `EncodedBytes` in `engine.ts`.
#[napi(object)]
pub struct EncodedObject {
    /// Bytes of pieces.
    pub raw_bytes: f64,
    /// Bytes sent for them.
    pub sent_bytes: f64,
    /// Time that encoding took.
    pub encode_ms: f64,
}

impl From<EncodedBytes> for EncodedObject {
    fn from(encoded: EncodedBytes) -> Self {
        Self {
            raw_bytes: encoded.raw as f64,
            sent_bytes: encoded.sent as f64,
            encode_ms: encoded.nanoseconds as f64 / 1e6,
        }
    }
}

impl EncodedBytes {
    /// Adds what another piece took and gave.
    pub fn add(&mut self, other: Self) {
        self.raw += other.raw;
        self.sent += other.sent;
        self.nanoseconds += other.nanoseconds;
    }
}

/// Encodes a coder's input, or takes it as it is.
pub fn encode(coder: &mut Coder, coding: Coding) -> (Header, Bytes, EncodedBytes) {
    let raw = coder.input.len() as u64;
    let begin = Instant::now();
    let encoded = coder.encode(coding).map(Bytes::copy_from_slice);
    let nanoseconds = u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX);
    let header = match &encoded {
        Some(encoded) => Header::Encoded {
            codec: coding.codec,
            bytes: encoded.len() as u32,
        },
        None => Header::Plain,
    };
    let bytes = encoded.unwrap_or_else(|| std::mem::take(&mut coder.input).into());
    let sent = bytes.len() as u64;
    let counts = EncodedBytes {
        raw,
        sent,
        nanoseconds,
    };
    (header, bytes, counts)
}
