//! A broker that does as the test says.

use std::future::pending;

use domain::Envelope;
use queue::{PublishError, Publisher};
use tokio::sync::watch;

use crate::soon;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Takes everything and confirms it.
    There,
    /// Is known not to be there.
    Away,
    /// Seems to be there, takes everything, and says nothing.
    Silent,
    /// Is there, and full.
    Full,
    /// Takes everything but the envelope with the id 0, and drops the connection over that.
    Picky,
}

#[derive(Clone, Debug)]
pub(crate) struct Broker {
    mode: watch::Sender<Mode>,
    arrived: watch::Sender<Vec<u128>>,
}

impl Broker {
    pub(crate) fn new(mode: Mode) -> Broker {
        Broker { mode: watch::Sender::new(mode), arrived: watch::Sender::default() }
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// What reached it, in order, confirmed or not.
    pub(crate) fn arrived(&self) -> Vec<u128> {
        self.arrived.borrow().clone()
    }

    pub(crate) async fn wait_for(&self, arrivals: usize) {
        let mut arrived = self.arrived.subscribe();
        let enough = arrived.wait_for(|arrived| arrived.len() >= arrivals);
        soon("envelopes at the broker", enough).await.expect("the sender lives in self");
    }

    fn take(&self, envelope: &Envelope) {
        self.arrived.send_modify(|arrived| arrived.push(envelope.id.0.as_u128()));
    }
}

impl Publisher for Broker {
    async fn publish(&self, envelope: Envelope) -> Result<(), PublishError> {
        // Read first: the guard must not be held while somebody sets another mode.
        let mode = *self.mode.borrow();
        match mode {
            Mode::Picky if envelope.id.0.is_nil() => {
                Err(PublishError::Unavailable("the channel was closed".to_owned()))
            }
            Mode::There | Mode::Picky => {
                self.take(&envelope);
                Ok(())
            }
            Mode::Away => Err(PublishError::Unavailable("it is away".to_owned())),
            Mode::Silent => {
                self.take(&envelope);
                pending().await
            }
            Mode::Full => Err(PublishError::Refused("the broker's queue is full".to_owned())),
        }
    }

    fn is_ready(&self) -> bool {
        *self.mode.borrow() != Mode::Away
    }
}
