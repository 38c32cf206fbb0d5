//! Envelopes, understood as far as possible before anything is loaded.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use domain::{DeadReason, Envelope, Fact, Incoming, Keys, Meaning, OrderKey, Policy};
use platforms::{Shops, shopify};

/// One envelope that a batch is to decide.
#[derive(Clone, Debug)]
pub struct Work {
    pub envelope: Envelope,
    /// How often it waited on the retry ladder.
    pub attempts: u32,
    /// An operator asks to decide a dead one again.
    pub replay: bool,
    /// It may have killed a process before; now it is decided alone.
    pub suspect: bool,
    /// It is dead, whatever it says: the reason comes from outside the body.
    pub verdict: Option<(DeadReason, String)>,
}

impl Work {
    pub fn new(envelope: Envelope, attempts: u32) -> Self {
        Self { envelope, attempts, replay: false, suspect: false, verdict: None }
    }
}

/// Work with its meaning.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    pub(crate) envelope: Envelope,
    pub(crate) incoming: Incoming,
    pub(crate) meaning: Meaning,
    pub(crate) policy: Arc<Policy>,
    pub(crate) suspect: bool,
}

impl Prepared {
    pub(crate) fn new(work: Work, shops: &Shops) -> Self {
        let shop = shops.get(&work.envelope.shop).or_else(|| {
            // Some shop of ours had signed it when it came; by now the shops file may name the one
            // that it claims to be.
            shops
                .shopify(work.envelope.shop.as_str())
                .filter(|shop| shopify::is_signed_by(&work.envelope, shop))
        });
        let envelope = work.envelope;
        let meaning = match (work.verdict, shop) {
            (Some((reason, detail)), _) => Meaning::Dead { reason, detail },
            (None, None) => unknown_shop(&envelope),
            (None, Some(_)) => parse(&envelope),
        };
        let incoming = Incoming {
            key: envelope.key(),
            shop: shop.map_or_else(|| envelope.shop.clone(), |shop| shop.name.clone()),
            envelope: envelope.id,
            topic: envelope.topic.clone(),
            received_at: envelope.received_at,
            attempts: work.attempts,
            replay: work.replay,
        };
        let policy = shop.map(|shop| Arc::new(shop.policy.clone())).unwrap_or_default();
        Self { envelope, incoming, meaning, policy, suspect: work.suspect }
    }

    /// Gives up on it: from now on it means a dead letter.
    pub(crate) fn condemn(&mut self, reason: DeadReason, detail: String) {
        self.meaning = Meaning::Dead { reason, detail };
    }

    /// The envelope as it travels, for a dead letter.
    pub(crate) fn raw(&self) -> Vec<u8> {
        queue::parcel::encode(std::slice::from_ref(&self.envelope))
            .expect("what ingress lets in fits into a parcel")
    }
}

fn unknown_shop(envelope: &Envelope) -> Meaning {
    let detail = format!(
        "the shops file names no shop {} whose secret made the signature; \
         add it there with its secret, then replay",
        envelope.shop
    );
    Meaning::Dead { reason: DeadReason::UnknownShop, detail }
}

/// A parser that panics costs one dead letter, not the process.
fn parse(envelope: &Envelope) -> Meaning {
    catch_unwind(AssertUnwindSafe(|| platforms::parse(envelope))).unwrap_or_else(|panic| {
        Meaning::Dead { reason: DeadReason::Panic, detail: panic_message(&*panic) }
    })
}

pub(crate) fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "the handler panicked".to_owned())
}

/// The rows that `batch` needs to see.
pub(crate) fn keys(batch: &[Prepared]) -> Keys {
    let mut keys = Keys::default();
    for prepared in batch {
        keys.webhooks.insert(prepared.incoming.key.clone());
        if let Meaning::Fact(Fact::Order(fact)) = &prepared.meaning {
            let shop = prepared.incoming.shop.clone();
            keys.orders.insert(OrderKey { shop, order: fact.order.clone() });
            let skus: BTreeSet<_> =
                fact.lines.values().filter_map(|line| line.sku.clone()).collect();
            keys.skus.extend(skus);
        }
    }
    keys
}
