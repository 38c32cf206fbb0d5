//! A publisher with the spool behind it.

use std::sync::Arc;

use domain::Envelope;
use tokio::time::timeout;

use super::BROKER_PATIENCE;
use super::shelf::Shelf;
use crate::{PublishError, Publisher};

/// Publishes to a broker, and to the spool what the broker does not take.
#[derive(Clone, Debug)]
pub struct Spooling<P> {
    broker: P,
    shelf: Arc<Shelf>,
}

impl<P: Publisher> Spooling<P> {
    pub(super) fn new(broker: P, shelf: Arc<Shelf>) -> Self {
        Self { broker, shelf }
    }

    async fn ask_broker(&self, envelope: Envelope) -> Result<(), PublishError> {
        // Whoever is known to be away is not waited for.
        if !self.broker.is_ready() {
            return Err(PublishError::Unavailable("the broker is away".to_owned()));
        }
        // What is given up here may be confirmed a moment later; then it is in both.
        match timeout(BROKER_PATIENCE, self.broker.publish(envelope)).await {
            Ok(published) => published,
            Err(_) => Err(PublishError::Unavailable("no publisher confirm in time".to_owned())),
        }
    }
}

impl<P: Publisher> Publisher for Spooling<P> {
    async fn publish(&self, envelope: Envelope) -> Result<(), PublishError> {
        match self.ask_broker(envelope.clone()).await {
            Ok(()) => Ok(()),
            Err(why) => self.shelf.put(envelope, &why).await,
        }
    }

    /// Whether webhooks can be taken, be it only to the disk. A load balancer that turned away from
    /// an ingress with room would lose what it is there to keep.
    fn is_ready(&self) -> bool {
        self.broker.is_ready() || self.shelf.has_room()
    }
}
