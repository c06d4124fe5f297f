//! JavaScript's handles of streams: conversion and nothing else.

use std::sync::Arc;

use bytes::Bytes;
use napi::bindgen_prelude::{Buffer, ClassInstance, Uint8Array};
use napi_derive::napi;

use crate::{
    bundle::{self, BundleObject},
    codec::{CodecSet, Coding},
    encoder::EncodedObject,
    error::{EngineError, Result},
    folder::Folder,
    limiter::{Bucket, RateLimiter},
    partial::PartialFile,
    piece::{Run, RunOptions, exact},
    receive_bundle,
    receive_half::ReceiveHalf,
    receive_run::{self, ReceivedRunObject},
    send_bundle,
    send_half::SendHalf,
    send_run::{self, SentRunObject},
    source_file::SourceFile,
    spent::SpentObject,
};

/// Bytes that are read into memory at once, at most.
const MOST_READ: usize = 16 << 20;

/// The sending half of a stream; see `SendStream` in `engine.ts`.
#[napi]
pub struct SendStream {
    half: Arc<SendHalf>,
}

/// The receiving half of a stream; see `ReceiveStream` in `engine.ts`.
#[napi]
pub struct ReceiveStream {
    half: Arc<ReceiveHalf>,
}

/// A stream both ways; see `BidirectionalStream` in `engine.ts`.
#[napi]
pub struct BidirectionalStream {
    send: Arc<SendHalf>,
    receive: Arc<ReceiveHalf>,
}

impl BidirectionalStream {
    /// Gives the halves of a stream to JavaScript.
    pub fn new(send: Arc<SendHalf>, receive: Arc<ReceiveHalf>) -> Self {
        Self { send, receive }
    }
}

#[napi]
impl BidirectionalStream {
    /// A handle of the sending half.
    #[napi(getter)]
    pub fn send(&self) -> SendStream {
        SendStream {
            half: Arc::clone(&self.send),
        }
    }

    /// A handle of the receiving half.
    #[napi(getter)]
    pub fn receive(&self) -> ReceiveStream {
        ReceiveStream {
            half: Arc::clone(&self.receive),
        }
    }
}

impl SendStream {
    /// Gives a stream to JavaScript.
    pub fn new(half: Arc<SendHalf>) -> Self {
        Self { half }
    }
}

#[napi]
impl SendStream {
    /// Bytes handed to the stream so far.
    #[napi(getter)]
    pub fn sent_bytes(&self) -> f64 {
        self.half.passed() as f64
    }

    /// Where the time of its calls went.
    #[napi(getter)]
    pub fn spent(&self) -> SpentObject {
        self.half.spent.so_far()
    }

    /// Makes its bytes pass these limits.
    #[napi]
    pub fn limit_by(&self, limiters: Vec<ClassInstance<'_, RateLimiter>>) -> napi::Result<()> {
        Ok(self.half.limits.set(buckets(&limiters))?)
    }

    /// Says how it stands to the connection's other streams: higher numbers go first.
    #[napi]
    pub async fn set_priority(&self, priority: i32) -> Result<()> {
        let half = &self.half;
        half.unless_given_up(async { half.outgoing().await?.set_priority(priority) })
            .await
    }

    /// What encoding has taken in and given so far.
    #[napi(getter)]
    pub fn encoded(&self) -> EncodedObject {
        self.half.tools.encoded().into()
    }

    /// Has the pieces of later calls encoded.
    #[napi]
    pub fn set_coding(&self, codec: String, level: f64) -> napi::Result<()> {
        self.half.tools.set_coding(Coding::new(&codec, level)?);
        Ok(())
    }

    /// Writes bytes. They are copied: JavaScript may change its own before a retransmission.
    #[napi]
    pub async fn write(&self, bytes: Uint8Array) -> Result<()> {
        let bytes = Bytes::copy_from_slice(&bytes);
        let half = &self.half;
        half.unless_given_up(async { half.outgoing().await?.write(&mut [bytes]).await })
            .await
    }

    /// Writes a header and a run of pieces.
    #[napi]
    pub async fn send_run(
        &self,
        header: Uint8Array,
        source: &SourceFile,
        run: RunOptions,
    ) -> Result<SentRunObject> {
        let source = source.source()?;
        let run = Run::new(&run)?;
        let encoding = self.half.tools.encoding();
        let verb = async move |half: Arc<SendHalf>| {
            let mut outgoing = half.outgoing().await?;
            send_run::send_run(&mut outgoing, &header, &source, run, encoding.as_ref()).await
        };
        let sent = self.half.run(verb).await?;
        Ok(SentRunObject {
            values: sent.values.into(),
            failure: sent.failure,
        })
    }

    /// Writes a header and a packed list of files, each as one piece.
    #[napi]
    pub async fn send_bundle(
        &self,
        header: Uint8Array,
        folder: &Folder,
        files: Uint8Array,
    ) -> Result<BundleObject> {
        let root = folder.root()?;
        let files = bundle::unpack_small(&files)?;
        let encoding = self.half.tools.encoding();
        let verb = async move |half: Arc<SendHalf>| {
            let mut outgoing = half.outgoing().await?;
            send_bundle::send_bundle(&mut outgoing, &header, root, files, encoding).await
        };
        Ok(BundleObject::new(self.half.run(verb).await?))
    }

    /// Ends the stream.
    #[napi]
    pub async fn finish(&self) -> Result<()> {
        let half = &self.half;
        half.unless_given_up(async { half.outgoing().await?.finish() })
            .await
    }

    /// Abandons the stream with an error number.
    #[napi]
    pub fn reset(&self, code: f64) -> napi::Result<()> {
        Ok(self.half.abandon(code)?)
    }
}

impl ReceiveStream {
    /// Gives a stream to JavaScript.
    pub fn new(half: Arc<ReceiveHalf>) -> Self {
        Self { half }
    }
}

#[napi]
impl ReceiveStream {
    /// Bytes taken from the stream so far.
    #[napi(getter)]
    pub fn received_bytes(&self) -> f64 {
        self.half.passed() as f64
    }

    /// Where the time of its calls went.
    #[napi(getter)]
    pub fn spent(&self) -> SpentObject {
        self.half.spent.so_far()
    }

    /// Makes its bytes pass these limits.
    #[napi]
    pub fn limit_by(&self, limiters: Vec<ClassInstance<'_, RateLimiter>>) -> napi::Result<()> {
        Ok(self.half.limits.set(buckets(&limiters))?)
    }

    /// Takes pieces of these codecs in later calls.
    #[napi]
    pub fn take_codecs(&self, names: Vec<String>) -> napi::Result<()> {
        self.half.tools.decoder.take(CodecSet::named(&names)?);
        Ok(())
    }

    /// Reads exactly so many bytes; nothing when the stream ended before the first.
    #[napi]
    pub async fn read(&self, length: f64) -> Result<Option<Buffer>> {
        let length = exact("length", length)? as usize;
        if length > MOST_READ {
            let text = format!("length: {length} is over {MOST_READ} bytes");
            return Err(EngineError::argument(text));
        }
        let mut bytes = vec![0; length];
        let half = &self.half;
        let is_there = half
            .unless_given_up(async { half.incoming().await?.fill_or_end(&mut bytes).await })
            .await?;
        Ok(is_there.then(|| bytes.into()))
    }

    /// Reads a run of pieces into a file.
    #[napi]
    pub async fn receive_run(
        &self,
        partial: &PartialFile,
        run: RunOptions,
    ) -> Result<ReceivedRunObject> {
        let partial = partial.partial()?;
        let run = Run::new(&run)?;
        let verb = async move |half: Arc<ReceiveHalf>| {
            let mut incoming = half.incoming().await?;
            receive_run::receive_run(&mut incoming, &partial, &half.tools, run).await
        };
        let received = self.half.run(verb).await?;
        Ok(ReceivedRunObject {
            values: received.values.into(),
            bad: received.bad,
            absent_from: received.absent_from as f64,
            failure: received.failure.map(|error| error.to_string()),
        })
    }

    /// Reads one piece for each file of a packed list and creates the files.
    #[napi]
    pub async fn receive_bundle(
        &self,
        folder: &Folder,
        targets: Uint8Array,
    ) -> Result<BundleObject> {
        let root = folder.root()?;
        let targets = bundle::unpack_small(&targets)?;
        let verb = async move |half: Arc<ReceiveHalf>| {
            let mut incoming = half.incoming().await?;
            receive_bundle::receive_bundle(&mut incoming, &root, &half.tools, &targets).await
        };
        Ok(BundleObject::new(self.half.run(verb).await?))
    }

    /// Tells the peer to send no more, with an error number.
    #[napi]
    pub fn stop(&self, code: f64) -> napi::Result<()> {
        Ok(self.half.abandon(code)?)
    }
}

fn buckets(limiters: &[ClassInstance<'_, RateLimiter>]) -> Vec<Arc<Bucket>> {
    limiters.iter().map(|limiter| limiter.bucket()).collect()
}
