//! What is sent, and what the sender knows.

use std::borrow::Cow;
use std::collections::BTreeMap;

use domain::Timestamp;

use crate::payments::Callback;
use crate::request::Request;

/// What is sent, and what the platform knows.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Every webhook once.
    pub webhooks: Vec<PlannedWebhook>,
    /// What to send, in this order: indexes into `webhooks`. One that is there twice is a
    /// duplicate; twice in a row, at the same instant.
    pub sends: Vec<usize>,
    /// The webhooks that tell of something older than what was sent before.
    pub late: Vec<usize>,
    pub orders: Vec<PlannedOrder>,
}

/// One webhook of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedWebhook {
    /// As an inbox names it, which may be a name for several bodies; nothing where its sender gives
    /// it no name that lasts.
    pub id: Option<String>,
    /// The platform's topic, or what happened to a payment.
    pub topic: &'static str,
    pub message: Message,
}

/// What becomes a request when it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// The same request whenever it is sent.
    Fixed(Request),
    /// Signed anew each time.
    Payment(Callback),
}

/// An order as the platform has it when the sale is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedOrder {
    pub id: u64,
    pub paid: bool,
    pub cancelled: bool,
    /// Units by SKU, as they were ordered.
    pub units: BTreeMap<String, i64>,
}

impl Plan {
    /// Webhooks that are sent a second time.
    pub fn duplicates(&self) -> usize {
        self.sends.len() - self.webhooks.len()
    }

    /// How many webhooks there are of each topic, repeats not counted.
    pub fn topics(&self) -> BTreeMap<&'static str, usize> {
        let mut topics = BTreeMap::new();
        for webhook in &self.webhooks {
            *topics.entry(webhook.topic).or_default() += 1;
        }
        topics
    }

    /// How many of these webhooks have no name by which an inbox could be asked for them.
    pub fn nameless<'a>(&self, webhooks: impl IntoIterator<Item = &'a usize>) -> usize {
        webhooks.into_iter().filter(|index| self.webhooks[**index].id.is_none()).count()
    }

    /// How many of the webhooks only name a payment. Those of one payment are one and the same.
    pub fn bare(&self) -> usize {
        self.webhooks.iter().filter(|webhook| webhook.message.is_bare()).count()
    }

    /// Units ordered of each SKU, cancelled or not.
    pub fn units(&self) -> BTreeMap<String, i64> {
        let mut all = BTreeMap::new();
        for (sku, units) in self.orders.iter().flat_map(|order| &order.units) {
            *all.entry(sku.clone()).or_default() += units;
        }
        all
    }
}

impl Message {
    /// The request, if it is sent now.
    pub fn request(&self, now: Timestamp) -> Cow<'_, Request> {
        match self {
            Message::Fixed(request) => Cow::Borrowed(request),
            Message::Payment(callback) => Cow::Owned(callback.signed_at(now)),
        }
    }

    /// Whether it only names a payment.
    pub fn is_bare(&self) -> bool {
        matches!(self, Message::Payment(callback) if callback.is_bare())
    }

    /// The same whenever it is sent.
    pub fn body(&self) -> &[u8] {
        match self {
            Message::Fixed(request) => &request.body,
            Message::Payment(callback) => &callback.body,
        }
    }
}
