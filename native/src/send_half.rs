//! The sending half of a stream: who may use it at a time, what it has sent, and how it is given up.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use iroh::endpoint::{self, VarInt};
use tokio::sync::{MappedMutexGuard, Mutex};
use tokio_util::sync::CancellationToken;

use crate::{
    coder::Coders,
    encoder::{EncodedBytes, Encoder},
    error::{EngineError, Result},
    limiter::Chain,
    stream::{error_number, only, unless},
};

/// The sending half of a stream, shared by JavaScript's handle and the verb that is under way.
pub struct SendHalf {
    /// Empty once the endpoint is closed.
    stream: Mutex<Option<endpoint::SendStream>>,
    sent: AtomicU64,
    /// What its bytes pass before the stream gets them.
    pub limits: Chain,
    given_up: CancellationToken,
    is_finished: AtomicBool,
    /// How its pieces are encoded.
    pub encoder: Encoder,
}

/// The sending half while a verb has it to itself.
pub struct Outgoing<'a> {
    half: &'a SendHalf,
    stream: MappedMutexGuard<'a, endpoint::SendStream>,
}

impl SendHalf {
    /// Takes a stream that was just opened.
    pub fn new(stream: endpoint::SendStream, coders: Arc<Coders>) -> Arc<Self> {
        Arc::new(Self {
            stream: Mutex::new(Some(stream)),
            sent: AtomicU64::new(0),
            limits: Chain::default(),
            given_up: CancellationToken::new(),
            is_finished: AtomicBool::new(false),
            encoder: Encoder::new(coders),
        })
    }

    /// Bytes handed to the stream so far; never waits for a verb.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Waits for a verb's end or for the stream to be given up.
    ///
    /// A verb that is cut off lets go of the stream, which is then reset by [`Self::reset`].
    pub async fn unless_given_up<T>(&self, verb: impl Future<Output = Result<T>>) -> Result<T> {
        unless(&self.given_up, verb).await
    }

    /// Waits for the stream to be free.
    pub async fn outgoing(&self) -> Result<Outgoing<'_>> {
        Ok(Outgoing {
            half: self,
            stream: only(self.stream.lock().await)?,
        })
    }

    /// Cuts the verb that is under way off.
    pub fn give_up(&self) {
        self.given_up.cancel();
    }

    /// Lets go of the stream, and with it of the endpoint's sockets.
    pub async fn release(&self) {
        self.give_up();
        self.stream.lock().await.take();
    }

    /// Abandons the stream; the verb that is under way is cut off first.
    pub fn reset(self: &Arc<Self>, number: f64) -> Result<()> {
        let number = error_number(number)?;
        self.given_up.cancel();
        if let Ok(mut stream) = self.stream.try_lock() {
            reset(&mut stream, number);
            return Ok(());
        }
        let half = Arc::clone(self);
        napi::bindgen_prelude::spawn(async move {
            reset(&mut *half.stream.lock().await, number);
        });
        Ok(())
    }
}

impl Drop for SendHalf {
    /// A stream that nobody finished must not look finished to the peer, which dropping it does.
    fn drop(&mut self) {
        if !self.is_finished.load(Ordering::Relaxed) {
            reset(self.stream.get_mut(), VarInt::from_u32(0));
        }
    }
}

impl Outgoing<'_> {
    /// Hands all chunks to the stream, counting them as they are taken.
    pub async fn write(&mut self, mut chunks: &mut [Bytes]) -> Result<()> {
        while !chunks.is_empty() {
            let Some(step) = self.half.limits.step() else {
                let written = self.stream.write_many_chunks(&mut chunks).await?;
                self.half.sent.fetch_add(written as u64, Ordering::Relaxed);
                continue;
            };
            let part = chunks[0].split_to(step.min(chunks[0].len()));
            if chunks[0].is_empty() {
                let all = chunks;
                chunks = &mut all[1..];
            }
            let bytes = part.len();
            self.half.limits.pass(bytes).await;
            self.stream.write_chunk(part).await?;
            self.half.sent.fetch_add(bytes as u64, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Says how it stands to the connection's other streams.
    pub fn set_priority(&mut self, priority: i32) -> Result<()> {
        self.stream
            .set_priority(priority)
            .map_err(|_| EngineError::cancelled("stream"))
    }

    /// Notes what encoding took.
    pub fn count(&self, bytes: EncodedBytes) {
        self.half.encoder.count(bytes);
    }

    /// Ends the stream; what was written still arrives.
    pub fn finish(&mut self) -> Result<()> {
        self.stream
            .finish()
            .map_err(|_| EngineError::cancelled("stream"))?;
        self.half.is_finished.store(true, Ordering::Relaxed);
        Ok(())
    }
}

fn reset(stream: &mut Option<endpoint::SendStream>, number: VarInt) {
    if let Some(stream) = stream {
        // A stream that has ended already has nothing to abandon.
        let _ = stream.reset(number);
    }
}
