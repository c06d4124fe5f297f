//! The two halves of a stream: who may use one at a time, what it has moved, and how it is given up.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use iroh::endpoint::{self, VarInt};
use tokio::sync::{MappedMutexGuard, Mutex, MutexGuard, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::{
    coder::Coders,
    decoder::Decoder,
    encoder::{EncodedBytes, Encoder},
    error::{EngineError, Result},
    limiter::Chain,
    piece::exact,
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

/// The receiving half of a stream, shared by JavaScript's handle and the verb that is under way.
pub struct ReceiveHalf {
    /// Empty once the endpoint is closed.
    stream: Mutex<Option<endpoint::RecvStream>>,
    received: AtomicU64,
    /// What its bytes pass before more are read.
    pub limits: Chain,
    given_up: CancellationToken,
    /// The endpoint's permits for writing files.
    pub disk: Arc<Semaphore>,
    /// What makes its pieces whole again.
    pub decoder: Decoder,
}

/// The receiving half while a verb has it to itself.
pub struct Incoming<'a> {
    half: &'a ReceiveHalf,
    stream: MappedMutexGuard<'a, endpoint::RecvStream>,
}

impl ReceiveHalf {
    /// Takes a stream that was just opened or accepted.
    pub fn new(
        stream: endpoint::RecvStream,
        disk: Arc<Semaphore>,
        coders: Arc<Coders>,
    ) -> Arc<Self> {
        Arc::new(Self {
            stream: Mutex::new(Some(stream)),
            received: AtomicU64::new(0),
            limits: Chain::default(),
            given_up: CancellationToken::new(),
            disk,
            decoder: Decoder::new(coders),
        })
    }

    /// Bytes taken from the stream so far; never waits for a verb.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Waits for a verb's end or for the stream to be given up.
    pub async fn unless_given_up<T>(&self, verb: impl Future<Output = Result<T>>) -> Result<T> {
        unless(&self.given_up, verb).await
    }

    /// Waits for the stream to be free.
    pub async fn incoming(&self) -> Result<Incoming<'_>> {
        Ok(Incoming {
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

    /// Tells the peer to send no more; the verb that is under way is cut off first.
    pub fn stop(self: &Arc<Self>, number: f64) -> Result<()> {
        let number = error_number(number)?;
        self.given_up.cancel();
        if let Ok(mut stream) = self.stream.try_lock() {
            stop(&mut stream, number);
            return Ok(());
        }
        let half = Arc::clone(self);
        napi::bindgen_prelude::spawn(async move {
            stop(&mut *half.stream.lock().await, number);
        });
        Ok(())
    }
}

impl Incoming<'_> {
    /// Fills the buffer, or as much of it as there is before the stream's end.
    async fn fill(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            let left = buffer.len() - filled;
            let step = self.half.limits.step().map_or(left, |step| step.min(left));
            let room = &mut buffer[filled..filled + step];
            let Some(read) = self.stream.read(room).await? else {
                break;
            };
            self.half.received.fetch_add(read as u64, Ordering::Relaxed);
            filled += read;
            // After the reading: nobody knows before how much there is.
            self.half.limits.pass(read).await;
        }
        Ok(filled)
    }

    /// Fills the whole buffer.
    pub async fn fill_all(&mut self, buffer: &mut [u8]) -> Result<()> {
        if self.fill_or_end(buffer).await? || buffer.is_empty() {
            return Ok(());
        }
        Err(EngineError::frame("the stream ended too early"))
    }

    /// Fills the whole buffer; false when the stream ended before its first byte.
    pub async fn fill_or_end(&mut self, buffer: &mut [u8]) -> Result<bool> {
        match self.fill(buffer).await? {
            filled if filled == buffer.len() => Ok(true),
            0 => Ok(false),
            filled => {
                let missing = buffer.len() - filled;
                Err(EngineError::frame(format!(
                    "the stream ended {missing} bytes too early"
                )))
            }
        }
    }
}

fn only<T>(guard: MutexGuard<'_, Option<T>>) -> Result<MappedMutexGuard<'_, T>> {
    MutexGuard::try_map(guard, Option::as_mut).map_err(|_| EngineError::cancelled("stream"))
}

fn reset(stream: &mut Option<endpoint::SendStream>, number: VarInt) {
    if let Some(stream) = stream {
        // A stream that has ended already has nothing to abandon.
        let _ = stream.reset(number);
    }
}

fn stop(stream: &mut Option<endpoint::RecvStream>, number: VarInt) {
    if let Some(stream) = stream {
        // A stream that has ended already has nothing to stop.
        let _ = stream.stop(number);
    }
}

async fn unless<T>(
    given_up: &CancellationToken,
    verb: impl Future<Output = Result<T>>,
) -> Result<T> {
    tokio::select! {
        biased;
        () = given_up.cancelled() => Err(EngineError::cancelled("stream")),
        result = verb => result,
    }
}

/// Takes an application's error number as QUIC can carry it.
fn error_number(number: f64) -> Result<VarInt> {
    VarInt::from_u64(exact("error number", number)?)
        .map_err(|_| EngineError::argument(format!("error number: {number} is too large")))
}
