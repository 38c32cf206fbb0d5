//! Whether a role can do its work, in words for whoever reads `/readyz`.
//!
//! Liveness never asks this: a process that waits for its database must not be restarted for it.

use std::time::Duration;

use queue::rabbitmq::Reach;
use queue::{AnyPublisher, Publisher};
use store::{AnyStore, Store};

/// For the database's answer; less than the ops port waits for all of it, so that the words say who
/// did not answer.
const DATABASE_TIMEOUT: Duration = Duration::from_millis(1_500);

/// What a role cannot do without.
#[derive(Clone, Debug, Default)]
pub(super) struct Needs {
    /// Webhooks are handed to it.
    pub(super) publisher: Option<AnyPublisher>,
    /// Webhooks come over it.
    pub(super) reach: Option<Reach>,
    pub(super) store: Option<AnyStore>,
}

impl Needs {
    /// `Err`: everything that is missing.
    pub(super) async fn met(self) -> Result<(), String> {
        let database = async {
            let Some(store) = &self.store else { return Ok(()) };
            match tokio::time::timeout(DATABASE_TIMEOUT, store.ping()).await {
                Ok(answer) => answer.map_err(|error| worker::error_chain(&error)),
                Err(_) => Err("the database does not answer".to_owned()),
            }
        };
        let all = [self.queue(), database.await];
        let missing: Vec<String> = all.into_iter().filter_map(Result::err).collect();
        if missing.is_empty() { Ok(()) } else { Err(missing.join("; ")) }
    }

    fn queue(&self) -> Result<(), String> {
        if self.publisher.as_ref().is_some_and(|publisher| !publisher.is_ready()) {
            return Err("the queue takes no webhooks".to_owned());
        }
        let reach = self.reach.as_ref().map_or(Ok(()), Reach::check);
        reach.map_err(|why| format!("no webhooks come from the queue: {why}"))
    }
}
