//! Giving back what a channel brought ahead, so that it does not count as handed out.
//!
//! A broker counts what a closing channel gives back, and a worker takes what was counted twice for
//! a killer. So it is published again, confirmed, and only then acknowledged; what that does not
//! succeed with is left to the closing. If the process dies in between, the broker has it twice, and
//! the inbox knows it the second time.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::join_all;
use lapin::options::BasicAckOptions;
use tokio::time::{Instant, timeout};

use super::intake::{Arrival, Intake};
use super::message;
use super::publisher::Outbox;
use super::topology::Names;

/// For all of it. The lane is at rest, but a stop waits for it.
const PATIENCE: Duration = Duration::from_secs(10);

/// For the broker's last word.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

impl Intake {
    /// Ends the channel; nothing that it brought ahead was handed out.
    pub(super) async fn end(mut self, outbox: &Outbox, names: &Names) {
        match timeout(PATIENCE, self.give_back_uncounted(outbox, names)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::debug!(%error, "what a channel brought is given back counted")
            }
            Err(_) => tracing::debug!("what a channel brought is given back counted: out of time"),
        }
        // The broker takes everything back that the channel has not acknowledged.
        let _ = timeout(CLOSE_TIMEOUT, self.channel.close(200, "paused".into())).await;
    }

    async fn give_back_uncounted(&mut self, outbox: &Outbox, names: &Names) -> Result<(), String> {
        self.arrivals.extend(self.shares.leave().await?);
        for place in &self.kept {
            place.leave(&self.channel).await.map_err(|error| error.to_string())?;
        }
        // Each subscription ends behind what it had brought.
        let mut brought = Vec::new();
        while let Some(arrival) = self.arrivals.next().await {
            brought.extend(arrival.ok());
        }
        let until = Instant::now() + PATIENCE;
        let back = brought.into_iter().map(|Arrival { source, delivery, .. }| async move {
            let told = message::read(source, &delivery.properties, delivery.redelivered);
            let message = message::again(names, Bytes::from(delivery.data), &told);
            if outbox.publish_retry(message, until).await.is_ok() {
                // Where it does not arrive the channel is gone, and the broker has it twice.
                let _ = delivery.acker.ack(BasicAckOptions { multiple: false }).await;
            }
        });
        join_all(back).await;
        Ok(())
    }
}
