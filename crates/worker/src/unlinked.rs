//! Payments that have waited for their orders for too long: money that nobody serves.
//!
//! Counted now and then, shown as a metric, and said aloud: at once when there are more, and every
//! hour for as long as there are any, as one that was solved and one that is new leave their number
//! as it was. A process that starts anew says it again.

use std::time::{Duration, Instant};

use domain::Timestamp;
use store::{Store, StoreError};

use crate::clock;

/// An order may come a while after its payment.
const WAITED: Timestamp = Timestamp(24 * 60 * 60 * 1_000_000);

/// Payments whose orders have not come for a day.
pub async fn unlinked_payments<S: Store>(store: &S, now: Timestamp) -> Result<i64, StoreError> {
    store.unlinked_payments(Timestamp(now.0 - WAITED.0)).await
}

/// How often the same number is said again.
const REMIND_EVERY: Duration = Duration::from_secs(60 * 60);

/// What was said of them last.
#[derive(Default)]
pub(crate) struct Unlinked {
    count: i64,
    said: Option<Instant>,
}

impl Unlinked {
    /// Counts them, and warns if it is time to.
    pub(crate) async fn look<S: Store>(&mut self, store: &S) {
        match unlinked_payments(store, clock::now()).await {
            Ok(unlinked) => {
                let exact = i32::try_from(unlinked).unwrap_or(i32::MAX);
                metrics::gauge!("onhand_payments_unlinked").set(f64::from(exact));
                if self.is_to_be_said(unlinked, Instant::now()) {
                    tracing::warn!(
                        payments = unlinked,
                        "payments have waited for their orders for more than a day: \
                         `onhand payment list --unlinked`"
                    );
                }
            }
            Err(error) => {
                let error = crate::error_chain(&error);
                tracing::debug!(error, "cannot count the payments without an order");
            }
        }
    }

    fn is_to_be_said(&mut self, count: i64, now: Instant) -> bool {
        let more = count > self.count;
        self.count = count;
        let due = self.said.is_none_or(|said| now.duration_since(said) >= REMIND_EVERY);
        let say = count > 0 && (more || due);
        if say {
            self.said = Some(now);
        }
        say
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_of_them_are_said_at_once_and_the_same_number_every_hour() {
        let (mut unlinked, began) = (Unlinked::default(), Instant::now());
        let mut said = |minutes: u64, count: i64| {
            unlinked.is_to_be_said(count, began + Duration::from_secs(60 * minutes))
        };
        assert!(!said(0, 0), "there are none");
        assert!(said(1, 2));
        assert!(!said(2, 2) && !said(60, 2), "it was said within the hour");
        assert!(said(61, 2), "perhaps another two");
        assert!(said(62, 3), "one more");
        assert!(!said(63, 1), "fewer");
        assert!(said(64, 2), "a new one");
        assert!(!said(200, 0), "all are solved");
        assert!(said(201, 1));
    }
}
