//! Envelopes, understood as far as possible before anything is loaded.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use domain::sighting::Thing;
use domain::{
    DeadReason, Decided, Envelope, Fact, Incoming, KeptBody, Keys, LineClass, ListingKey, Meaning,
    OrderId, OrderKey, Outcome, PaymentKey, Policy, ShopId, Sighting, Timestamp, Variant, View,
    WebhookKey,
};
use platforms::shops::UNKNOWN_SHOP;
use platforms::{Capture, Shop, Shops, TestPayments, shopify};
use trace::Context;

use crate::clock;

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
    /// Where its consuming is in a trace, if it is to be told.
    pub span: Option<Context>,
}

impl Work {
    pub fn new(envelope: Envelope, attempts: u32) -> Self {
        Self { envelope, attempts, replay: false, suspect: false, verdict: None, span: None }
    }
}

/// Work with its meaning.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    pub(crate) envelope: Envelope,
    /// The shop of the file that sent it, if the file names it.
    pub(crate) sender: Option<ShopId>,
    pub(crate) incoming: Incoming,
    pub(crate) meaning: Meaning,
    pub(crate) policy: Arc<Policy>,
    pub(crate) suspect: bool,
    pub(crate) span: Option<Context>,
    /// How long its body is kept once it is decided, and as what: packed here, once, and not while a
    /// batch holds its turn or its locks.
    keep: Option<(Duration, Vec<u8>)>,
}

impl Prepared {
    pub(crate) fn new(work: Work, shops: &Shops) -> Self {
        let shop = sender(&work.envelope, shops);
        let envelope = work.envelope;
        // What kills processes is not even read. All else is, also where the shop is not known or the
        // envelope is given up: where its row lies follows from the body alone.
        let poison = matches!(work.verdict, Some((DeadReason::Poison, _)));
        let parsed = if poison { Meaning::Ignored("poison") } else { parse(&envelope) };
        let key = WebhookKey { scope: scope(&parsed), ..envelope.key() };
        let meaning = match (work.verdict, shop) {
            (Some((reason, detail)), _) => Meaning::Dead { reason, detail },
            (None, Some(shop)) => own(parsed, shop),
            (None, None) => unknown_shop(&envelope),
        };
        // Payments are for the orders of another shop, under that shop's rules.
        let whose = shop
            .map(|shop| shop.pays_for.as_ref().and_then(|paid| shops.get(paid)).unwrap_or(shop));
        let incoming = Incoming {
            key,
            shop: whose.map_or_else(|| envelope.shop.clone(), |shop| shop.name.clone()),
            envelope: envelope.id,
            topic: envelope.topic.clone(),
            received_at: envelope.received_at,
            attempts: work.attempts,
            replay: work.replay,
        };
        // Requests about customers' data name the customer, and are done with when they are answered.
        let is_request = matches!(meaning, Meaning::Fact(Fact::Privacy(_)));
        let keep = shop.and_then(|shop| shop.keep_bodies).filter(|_| !is_request);
        let policy = whose.map(|shop| Arc::new(shop.policy.clone())).unwrap_or_default();
        let sender = shop.map(|shop| shop.name.clone());
        let (suspect, span) = (work.suspect, work.span);
        let is_dead = matches!(meaning, Meaning::Dead { .. });
        let keep = keep.filter(|_| !is_dead).map(|keep| (keep, packed(&envelope)));
        Self { envelope, sender, incoming, meaning, policy, suspect, span, keep }
    }

    /// Gives up on it: from now on it means a dead letter.
    pub(crate) fn condemn(&mut self, reason: DeadReason, detail: String) {
        self.meaning = Meaning::Dead { reason, detail };
    }

    /// What is kept of it once it is decided so. A dead letter keeps its body by itself, and of a repeat
    /// the first is there.
    pub(crate) fn kept(&self, decided: &Decided, now: Timestamp) -> Option<KeptBody> {
        let Decided::Verdict(verdict) = decided else { return None };
        let (keep, raw) = self.keep.as_ref().filter(|_| verdict.outcome != Outcome::Dead)?;
        let (envelope, shop) = (self.envelope.id, self.envelope.shop.clone());
        Some(KeptBody { envelope, shop, until: clock::after(now, *keep), raw: raw.clone() })
    }

    /// The envelope as it travels, for a dead letter.
    pub(crate) fn raw(&self) -> Vec<u8> {
        packed(&self.envelope)
    }
}

fn packed(envelope: &Envelope) -> Vec<u8> {
    queue::parcel::encode(std::slice::from_ref(envelope))
        .expect("what ingress lets in fits into a parcel")
}

/// The shop that sent it, by the shops file of now.
pub(crate) fn sender<'a>(envelope: &Envelope, shops: &'a Shops) -> Option<&'a Shop> {
    shops.get(&envelope.shop).or_else(|| {
        // Some shop of ours had signed it when it came; by now the shops file may name the one that
        // it claims to be.
        shops.shopify(envelope.shop.as_str()).filter(|shop| shopify::is_signed_by(envelope, shop))
    })
}

/// The order that a body names by itself. The same body always names the same.
fn scope(meaning: &Meaning) -> Option<OrderId> {
    match meaning {
        Meaning::Fact(Fact::Order(fact)) => Some(fact.order.clone()),
        _ => None,
    }
}

fn unknown_shop(envelope: &Envelope) -> Meaning {
    let detail = match envelope.shop.as_str() {
        UNKNOWN_SHOP => "it came without a usable X-Shopify-Shop-Domain header, so nobody knows \
            whose it is; see whether something on its way here drops headers"
            .to_owned(),
        shop => format!(
            "the shops file names no shop {shop} whose secret made the signature; \
             add it there with its secret, then replay"
        ),
    };
    Meaning::Dead { reason: DeadReason::UnknownShop, detail }
}

/// What `meaning` is for this very shop.
fn own(meaning: Meaning, shop: &Shop) -> Meaning {
    let of_another = |domain: &str| shop.domain.as_deref() != Some(domain);
    match meaning {
        // Nobody may have another shop's data removed.
        Meaning::Fact(Fact::Privacy(request)) if of_another(&request.domain) => {
            let detail = format!(
                "it was sent in the name of {}, but asks for the data of {}",
                shop.name, request.domain
            );
            Meaning::Dead { reason: DeadReason::TopicMismatch, detail }
        }
        // Nor say that another shop has removed the app.
        Meaning::Fact(Fact::Sightings(seen)) if app_of(&seen).is_some_and(of_another) => {
            let detail = format!(
                "it was sent in the name of {}, but is about {}",
                shop.name,
                app_of(&seen).unwrap_or_default()
            );
            Meaning::Dead { reason: DeadReason::TopicMismatch, detail }
        }
        Meaning::Fact(Fact::Payment(fact))
            if fact.test && shop.test_payments == TestPayments::Ignore =>
        {
            Meaning::Ignored("test_payment")
        }
        Meaning::Fact(Fact::Payment(fact)) if shop.capture == Capture::Automatic => {
            Meaning::Fact(Fact::Payment(Box::new(fact.captured_at_once())))
        }
        other => other,
    }
}

/// The shop whose app was seen, if its body named it. Samples that Shopify's tools send do not.
fn app_of(seen: &[Sighting]) -> Option<&str> {
    seen.iter().find_map(|sighting| match &sighting.thing {
        Thing::App { domain } => domain.as_deref(),
        _ => None,
    })
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

/// The rows that `batch` needs to see, as far as its bodies tell.
pub(crate) fn keys<'a>(batch: impl IntoIterator<Item = &'a Prepared>) -> Keys {
    let mut keys = Keys::default();
    for prepared in batch {
        let incoming = &prepared.incoming;
        keys.webhooks.insert(incoming.key.clone());
        match &prepared.meaning {
            Meaning::Fact(Fact::Order(fact)) => {
                let shop = &incoming.shop;
                keys.orders.insert(OrderKey { shop: shop.clone(), order: fact.order.clone() });
                for line in fact.lines.values().filter(|line| line.class != LineClass::NotStock) {
                    keys.skus.extend(line.sku.clone());
                    let listing = |variant: &Variant| ListingKey {
                        shop: shop.clone(),
                        variant: variant.clone(),
                    };
                    keys.listings.extend(line.variant.as_ref().map(listing));
                }
            }
            Meaning::Fact(Fact::Payment(fact)) => {
                let payment = fact.payment.clone();
                keys.payments.insert(PaymentKey { shop: incoming.key.shop.clone(), payment });
                let references = fact.known.references.iter().cloned();
                let order = |order| OrderKey { shop: incoming.shop.clone(), order };
                keys.orders.extend(references.map(order));
            }
            Meaning::Fact(Fact::Sightings(_) | Fact::Privacy(_))
            | Meaning::Ignored(_)
            | Meaning::Dead { .. } => {}
        }
    }
    keys
}

/// The orders that the payments of `batch` are known to pay for.
pub(crate) fn linked<'a>(
    batch: impl IntoIterator<Item = &'a Prepared>,
    view: &'a View,
) -> impl Iterator<Item = OrderKey> {
    batch.into_iter().flat_map(|one| {
        let payment = match &one.meaning {
            Meaning::Fact(Fact::Payment(fact)) => {
                let shop = one.incoming.key.shop.clone();
                view.payments.get(&PaymentKey { shop, payment: fact.payment.clone() })
            }
            _ => None,
        };
        let references = payment.into_iter().flat_map(|payment| &payment.known.references);
        references.map(|order| OrderKey { shop: one.incoming.shop.clone(), order: order.clone() })
    })
}
