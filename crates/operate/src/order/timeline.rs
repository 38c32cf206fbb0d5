//! All that is known to have happened to an order, in the order of time: what came, what became of it,
//! which units moved, what was paid.

use domain::payment::PaymentEvent;
use domain::{PaymentKey, Timestamp};
use store::reports::{HistoryRow, WebhookRow};

use super::find::Found;

/// Something that happened.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    pub at: Timestamp,
    pub what: What<'a>,
}

/// What happened. At one moment in this order: money moves before its callback comes, and a webhook
/// comes before it moves anything.
#[derive(Clone, Copy, Debug)]
pub enum What<'a> {
    /// By the provider's clock.
    Payment(&'a PaymentKey, &'a PaymentEvent),
    /// It came; what became of it is in it.
    Webhook(&'a WebhookRow),
    Move(&'a HistoryRow),
}

impl What<'_> {
    fn rank(self) -> u8 {
        match self {
            Self::Payment(..) => 0,
            Self::Webhook(_) => 1,
            Self::Move(_) => 2,
        }
    }
}

/// The oldest first.
pub fn timeline(found: &Found) -> Vec<Entry<'_>> {
    let payments = found.payments.iter().flat_map(|(key, payment)| {
        let events = payment.known.events.values();
        events.map(move |event| Entry { at: event.at, what: What::Payment(key, event) })
    });
    let webhooks = found.webhooks.iter();
    let webhooks = webhooks.map(|row| Entry { at: row.received_at, what: What::Webhook(row) });
    let moves = found.ledger.iter().map(|row| Entry { at: row.at, what: What::Move(row) });
    let mut all: Vec<Entry<'_>> = payments.chain(webhooks).chain(moves).collect();
    // Stable: what each of them has in order stays so.
    all.sort_by_key(|entry| (entry.at, entry.what.rank()));
    all
}
