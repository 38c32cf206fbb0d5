//! What lanes have in their hands: how much, and how old the oldest is.
//!
//! A lane holds a webhook from the moment it takes it out of the queue until its effects are durable
//! and it is settled. While nothing commits the same webhooks stay in its hands and grow older, which
//! a histogram of committed ones does not show. The queue gives the oldest first, so what is in the
//! hands is also the oldest that waits for its first decision.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::Timestamp;
use metrics::{Unit, gauge};
use queue::{Content, Delivery};

use crate::{as_f64, clock};

const HELD: &str = "onhand_held_envelopes";
const OLDEST: &str = "onhand_oldest_held_seconds";

/// How often the age is shown anew.
const SHOW_EVERY: Duration = Duration::from_secs(1);

/// Of all lanes of a process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hands(Arc<Mutex<Held>>);

#[derive(Debug, Default)]
struct Held {
    batches: BTreeMap<u64, Batch>,
    taken: u64,
    /// The oldest of what was put down since the last look: a lane that was looked at just between
    /// two late batches is late all the same.
    put_down: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug)]
struct Batch {
    envelopes: usize,
    oldest: Option<Timestamp>,
}

/// A batch in the hands of a lane. Dropped, it is put down.
#[derive(Debug)]
pub(crate) struct InHand {
    hands: Hands,
    number: u64,
}

impl Hands {
    pub(crate) fn take(&self, deliveries: &[Delivery]) -> InHand {
        let oldest = deliveries.iter().filter_map(received_at).min();
        let mut held = self.held();
        held.taken += 1;
        let number = held.taken;
        held.batches.insert(number, Batch { envelopes: deliveries.len(), oldest });
        InHand { hands: self.clone(), number }
    }

    /// Shows it as metrics, for as long as it is polled.
    pub(crate) async fn show(&self) -> Infallible {
        metrics::describe_gauge!(HELD, "Webhooks that lanes took and have not settled yet");
        metrics::describe_gauge!(OLDEST, Unit::Seconds, "Age of the oldest of these");
        let mut ticks = tokio::time::interval(SHOW_EVERY);
        loop {
            ticks.tick().await;
            let (envelopes, age) = self.look(clock::now());
            gauge!(HELD).set(as_f64(envelopes));
            gauge!(OLDEST).set(age.as_secs_f64());
        }
    }

    /// How many are held, and how old the oldest is of those held since the last look.
    fn look(&self, now: Timestamp) -> (usize, Duration) {
        let mut held = self.held();
        let envelopes = held.batches.values().map(|batch| batch.envelopes).sum();
        let oldest = held.put_down.take();
        let oldest = held.batches.values().filter_map(|batch| batch.oldest).chain(oldest).min();
        let age = oldest.map_or(0, |oldest| now.0.saturating_sub(oldest.0).max(0));
        (envelopes, Duration::from_micros(age.unsigned_abs()))
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // Nothing in here can panic half way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        let mut held = self.hands.held();
        let oldest = held.batches.remove(&self.number).and_then(|batch| batch.oldest);
        held.put_down = held.put_down.into_iter().chain(oldest).min();
    }
}

/// Of what can be read.
fn received_at(delivery: &Delivery) -> Option<Timestamp> {
    match &delivery.content {
        Content::Envelope(envelope) | Content::GivenUp { envelope, .. } => {
            Some(envelope.received_at)
        }
        Content::Unreadable { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use domain::{Envelope, EnvelopeId, Platform, ShopId, WebhookId};
    use queue::DeliveryId;
    use uuid::Uuid;

    use super::*;

    fn received(second: i64) -> Delivery {
        let envelope = Envelope {
            id: EnvelopeId(Uuid::nil()),
            platform: Platform::Shopify,
            provider: None,
            shop: ShopId::new("demo"),
            webhook: WebhookId::new("w"),
            topic: "orders/create".to_owned(),
            event: None,
            api_version: None,
            triggered_at: None,
            received_at: Timestamp::from_seconds(second),
            signature: None,
            signed_by: None,
            traceparent: None,
            body: Bytes::new(),
        };
        Delivery {
            id: DeliveryId { session: 0, parcel: 0, index: 0 },
            attempts: 0,
            redeliveries: 0,
            content: Content::Envelope(envelope),
        }
    }

    fn look(hands: &Hands, second: i64) -> (usize, u64) {
        let (envelopes, age) = hands.look(Timestamp::from_seconds(second));
        (envelopes, age.as_secs())
    }

    #[test]
    fn the_oldest_in_hand_grows_older_until_it_is_put_down() {
        let hands = Hands::default();
        assert_eq!(look(&hands, 10), (0, 0), "nothing is held");
        let stuck = hands.take(&[received(9), received(5)]);
        let other = hands.take(&[received(8)]);
        assert_eq!(look(&hands, 10), (3, 5));
        drop(other);
        assert_eq!(look(&hands, 3_605), (2, 3_600), "and nothing commits");
        drop(stuck);
        assert_eq!(look(&hands, 3_606), (0, 3_601), "it was held until a moment ago");
        assert_eq!(look(&hands, 3_607), (0, 0));
    }

    #[test]
    fn what_came_from_a_clock_that_is_ahead_is_not_older_than_now() {
        let hands = Hands::default();
        let _held = hands.take(&[received(100)]);
        assert_eq!(look(&hands, 10), (1, 0));
    }
}
