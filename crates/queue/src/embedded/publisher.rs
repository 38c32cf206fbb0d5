//! Hands envelopes to the writer and waits for its commit.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use domain::Envelope;
use tokio::sync::{mpsc, oneshot};

use super::Shared;
use super::command::Command;
use crate::{PublishError, Publisher, traced};

/// What spans say of where envelopes go.
const SYSTEM: &str = "onhand";
const DESTINATION: &str = "embedded";

/// The embedded queue's [`Publisher`].
#[derive(Clone, Debug)]
pub struct EmbeddedPublisher {
    commands: mpsc::Sender<Command>,
    shared: Arc<Shared>,
}

impl EmbeddedPublisher {
    pub(super) fn new(commands: mpsc::Sender<Command>, shared: Arc<Shared>) -> Self {
        Self { commands, shared }
    }

    async fn hand_over(&self, envelope: Envelope) -> Result<(), PublishError> {
        let (reply, answer) = oneshot::channel();
        let publish = Command::Publish(Box::new(envelope), reply);
        self.commands.send(publish).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    /// How many envelopes were in the file after the last transaction.
    pub(crate) fn waiting(&self) -> u64 {
        self.shared.waiting.load(Ordering::Relaxed)
    }

    /// And how many bytes, as stored.
    pub(crate) fn waiting_bytes(&self) -> u64 {
        self.shared.waiting_bytes.load(Ordering::Relaxed)
    }
}

impl Publisher for EmbeddedPublisher {
    async fn publish(&self, mut envelope: Envelope) -> Result<(), PublishError> {
        let mut span = traced::publish(SYSTEM, DESTINATION, &mut envelope);
        self.hand_over(envelope).await.inspect_err(|error| span.failed(error))
    }

    fn is_ready(&self) -> bool {
        !self.commands.is_closed() && self.shared.accepting.load(Ordering::Relaxed)
    }
}

fn closed() -> PublishError {
    PublishError::Unavailable("the embedded queue is closed".to_owned())
}
