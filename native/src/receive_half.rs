//! The receiving half of a stream.

use std::sync::Arc;

use iroh::endpoint::{RecvStream, VarInt};
use tokio::sync::{MappedMutexGuard, Semaphore, SemaphorePermit};

use crate::{
    decoder::Decoder,
    disk_calls::DiskCalls,
    error::{EngineError, Result},
    spent::{Doing, Entered, Spent},
    stream::{Half, OneWay},
};

/// The receiving half of a stream, and what becomes of its pieces.
pub type ReceiveHalf = Half<RecvStream, Intake>;

/// What makes a stream's pieces whole again, and lets them be written.
pub struct Intake {
    /// Decodes the pieces.
    pub decoder: Decoder,
    /// The endpoint's permits for writing files.
    disk: Arc<Semaphore>,
    /// The calls that write small files.
    pub calls: DiskCalls,
}

/// The receiving half while a verb has it to itself.
pub struct Incoming<'a> {
    half: &'a ReceiveHalf,
    stream: MappedMutexGuard<'a, RecvStream>,
    _verb: Entered<'a>,
}

impl OneWay for RecvStream {
    fn abandon(&mut self, number: VarInt) {
        // A stream that has ended already has nothing to stop.
        let _ = self.stop(number);
    }
}

impl Intake {
    /// Takes pieces in with the endpoint's permits for writing files.
    pub fn new(decoder: Decoder, disk: Arc<Semaphore>) -> Self {
        Self {
            decoder,
            disk,
            calls: DiskCalls::default(),
        }
    }

    /// Waits until fewer writes than allowed are under way.
    pub async fn permit(&self) -> Result<SemaphorePermit<'_>> {
        let permit = self.disk.acquire().await;
        permit.map_err(|_| EngineError::cancelled("endpoint"))
    }
}

impl ReceiveHalf {
    /// Waits for the stream to be free.
    pub async fn incoming(&self) -> Result<Incoming<'_>> {
        Ok(Incoming {
            half: self,
            stream: self.stream().await?,
            _verb: self.spent.enter(Doing::Work),
        })
    }
}

impl<'a> Incoming<'a> {
    /// Where the time of the stream's verbs goes.
    pub fn spent(&self) -> &'a Spent {
        &self.half.spent
    }

    /// Fills the buffer, or as much of it as there is before the stream's end.
    async fn fill(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            let left = buffer.len() - filled;
            let limit = self.half.limits.step();
            let step = limit.map_or(left, |step| step.min(left));
            let room = &mut buffer[filled..filled + step];
            let waiting = self.half.spent.enter(Doing::Stream);
            let Some(read) = self.stream.read(room).await? else {
                break;
            };
            drop(waiting);
            self.half.note_passed(read);
            filled += read;
            // After the reading: nobody knows before how much there is.
            if limit.is_some() {
                let _held = self.half.spent.enter(Doing::Limit);
                self.half.limits.pass(read).await;
            }
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
