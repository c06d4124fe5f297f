//! The sending half of a stream.

use bytes::Bytes;
use iroh::endpoint::{self, VarInt};
use tokio::sync::MappedMutexGuard;

use crate::{
    encoder::{EncodedBytes, Encoder},
    error::{EngineError, Result},
    spent::{Doing, Entered, Spent},
    stream::{Half, OneWay},
};

/// The sending half of a stream, and how its pieces are encoded.
pub type SendHalf = Half<Sending, Encoder>;

/// A stream to the peer. One that nobody finished must not look finished, which dropping the engine's does.
pub struct Sending {
    inner: endpoint::SendStream,
    is_finished: bool,
}

/// The sending half while a verb has it to itself.
pub struct Outgoing<'a> {
    half: &'a SendHalf,
    stream: MappedMutexGuard<'a, Sending>,
    _verb: Entered<'a>,
}

impl Sending {
    /// Takes a stream that was just opened or accepted.
    pub fn new(inner: endpoint::SendStream) -> Self {
        Self {
            inner,
            is_finished: false,
        }
    }
}

impl OneWay for Sending {
    fn abandon(&mut self, number: VarInt) {
        // A stream that has ended already has nothing to abandon.
        let _ = self.inner.reset(number);
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        if !self.is_finished {
            self.abandon(VarInt::from_u32(0));
        }
    }
}

impl SendHalf {
    /// Waits for the stream to be free.
    pub async fn outgoing(&self) -> Result<Outgoing<'_>> {
        Ok(Outgoing {
            half: self,
            stream: self.stream().await?,
            _verb: self.spent.enter(Doing::Work),
        })
    }
}

impl Outgoing<'_> {
    /// Hands all chunks to the stream, counting them as they are taken.
    pub async fn write(&mut self, mut chunks: &mut [Bytes]) -> Result<()> {
        while !chunks.is_empty() {
            let Some(step) = self.half.limits.step() else {
                let waiting = self.half.spent.enter(Doing::Stream);
                let written = self.stream.inner.write_many_chunks(&mut chunks).await?;
                drop(waiting);
                self.half.note_passed(written);
                continue;
            };
            let part = chunks[0].split_to(step.min(chunks[0].len()));
            if chunks[0].is_empty() {
                let all = chunks;
                chunks = &mut all[1..];
            }
            let bytes = part.len();
            let held = self.half.spent.enter(Doing::Limit);
            self.half.limits.pass(bytes).await;
            drop(held);
            let waiting = self.half.spent.enter(Doing::Stream);
            self.stream.inner.write_chunk(part).await?;
            drop(waiting);
            self.half.note_passed(bytes);
        }
        Ok(())
    }

    /// Says how it stands to the connection's other streams.
    pub fn set_priority(&mut self, priority: i32) -> Result<()> {
        let set = self.stream.inner.set_priority(priority);
        set.map_err(|_| EngineError::cancelled("stream"))
    }

    /// Where the time of the stream's verbs goes.
    pub fn spent(&self) -> &Spent {
        &self.half.spent
    }

    /// Notes what encoding took.
    pub fn count(&self, bytes: EncodedBytes) {
        self.half.tools.count(bytes);
    }

    /// Ends the stream; what was written still arrives.
    pub fn finish(&mut self) -> Result<()> {
        let finished = self.stream.inner.finish();
        finished.map_err(|_| EngineError::cancelled("stream"))?;
        self.stream.is_finished = true;
        Ok(())
    }
}
