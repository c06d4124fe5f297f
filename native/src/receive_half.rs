//! The receiving half of a stream: who may use it at a time, what it has received, and how it is given up.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use iroh::endpoint::{self, VarInt};
use tokio::sync::{MappedMutexGuard, Mutex, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::{
    coder::Coders,
    decoder::Decoder,
    error::{EngineError, Result},
    limiter::Chain,
    stream::{error_number, only, unless},
};

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

fn stop(stream: &mut Option<endpoint::RecvStream>, number: VarInt) {
    if let Some(stream) = stream {
        // A stream that has ended already has nothing to stop.
        let _ = stream.stop(number);
    }
}
