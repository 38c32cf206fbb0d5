//! Payments that live as they do at their providers, and the callbacks they send.
//!
//! A [`PaymentLife`] is the provider's own row: every step changes it and gives the callback that
//! the provider sends then, and its request, signed. Only Mollie's refunds and disputes are not
//! signed: it sends them as classic callbacks, which name the payment and say nothing else.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use domain::{Provider, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

use crate::request::Request;

mod adyen;
mod callback;
mod mollie;
mod secret;
mod standard;
mod stripe;

pub use callback::Callback;
pub use secret::check_secret;

use callback::Proof;

/// What a payment is about unless it is told otherwise.
pub const AMOUNT: i64 = 4_999;

/// A payment as its provider keeps it.
#[derive(Clone, Debug)]
pub struct PaymentLife {
    provider: Provider,
    shop: String,
    secret: String,
    /// What the merchant calls the order.
    reference: String,
    id: String,
    amount: i64,
    currency: String,
    captured: i64,
    refunded: i64,
    /// How many steps there were: events and modifications are numbered by it.
    steps: u32,
}

/// What happens to a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The money is set aside.
    Authorise,
    /// All of the money comes in.
    Capture,
    /// A try to pay fails. Another may succeed.
    Fail,
    /// It is given up.
    Cancel,
    /// This much goes back, in the currency's smallest unit.
    Refund(i64),
    /// The payer's bank asks for the money back.
    Dispute,
    /// The capture did not come about after all. Where a provider knows no such thing, a try to pay
    /// fails.
    CaptureFailed,
    /// A refund of this much did not come about after all.
    RefundFailed(i64),
    /// The payer's bank lets the merchant keep it.
    DisputeWon,
    /// The payer's bank took it back.
    DisputeLost,
}

impl Step {
    /// What has happened then, whatever the provider calls it.
    pub fn as_str(self) -> &'static str {
        match self {
            Step::Authorise => "authorised",
            Step::Capture => "captured",
            Step::Fail => "failed",
            Step::Cancel => "cancelled",
            Step::Refund(_) => "refunded",
            Step::Dispute => "disputed",
            Step::CaptureFailed => "capture_failed",
            Step::RefundFailed(_) => "refund_failed",
            Step::DisputeWon => "dispute_won",
            Step::DisputeLost => "dispute_lost",
        }
    }
}

impl PaymentLife {
    /// A payment of [`AMOUNT`] in euros at the account that is `shop` in the shops file, for the
    /// order `reference`. `secret` is written as in the shops file.
    pub fn new(provider: Provider, shop: &str, secret: &str, reference: &str) -> Self {
        Self {
            provider,
            shop: shop.to_owned(),
            secret: secret.to_owned(),
            reference: reference.to_owned(),
            id: payment_id(provider, Uuid::now_v7()),
            amount: AMOUNT,
            currency: "EUR".to_owned(),
            captured: 0,
            refunded: 0,
            steps: 0,
        }
    }

    /// Is about another amount, in the currency's smallest unit.
    #[must_use]
    pub fn of(mut self, minor: i64, currency: &str) -> Self {
        (self.amount, self.currency) = (minor, currency.to_owned());
        self
    }

    /// Has this in its ids, instead of something that no other payment has: lived again, it sends
    /// the same callbacks.
    #[must_use]
    pub fn known_by(mut self, unique: Uuid) -> Self {
        self.id = payment_id(self.provider, unique);
        self
    }

    /// The provider's id for the payment.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The money is set aside.
    pub fn authorise(&mut self, now: Timestamp) -> Request {
        self.step(Step::Authorise, now)
    }

    /// All of the money comes in.
    pub fn capture(&mut self, now: Timestamp) -> Request {
        self.step(Step::Capture, now)
    }

    /// A try to pay fails. Another may succeed.
    pub fn fail(&mut self, now: Timestamp) -> Request {
        self.step(Step::Fail, now)
    }

    /// It is given up.
    pub fn cancel(&mut self, now: Timestamp) -> Request {
        self.step(Step::Cancel, now)
    }

    /// This much goes back.
    pub fn refund(&mut self, minor: i64, now: Timestamp) -> Request {
        self.step(Step::Refund(minor), now)
    }

    /// The payer's bank asks for the money back.
    pub fn dispute(&mut self, now: Timestamp) -> Request {
        self.step(Step::Dispute, now)
    }

    /// Any step happens.
    pub fn step(&mut self, step: Step, now: Timestamp) -> Request {
        self.callback(step, now).signed_at(now)
    }

    /// What the provider tells of a step that happens at this moment, whenever it sends it.
    pub fn callback(&mut self, step: Step, at: Timestamp) -> Callback {
        self.steps += 1;
        match step {
            Step::Capture => self.captured = self.amount,
            Step::CaptureFailed => self.captured = 0,
            Step::Refund(minor) => self.refunded += minor,
            Step::RefundFailed(minor) => self.refunded = (self.refunded - minor).max(0),
            Step::Authorise | Step::Fail | Step::Cancel => {}
            Step::Dispute | Step::DisputeWon | Step::DisputeLost => {}
        }
        match self.provider {
            Provider::Stripe => stripe::callback(self, step, at),
            Provider::Adyen => adyen::callback(self, step, at),
            Provider::Mollie => mollie::callback(self, step, at),
            Provider::Standard => standard::callback(self, step, at),
        }
    }

    /// The provider's id for what happened in this step.
    fn numbered(&self, prefix: &str) -> String {
        let bare = self.id.split_once('_').map_or(self.id.as_str(), |(_, bare)| bare);
        format!("{prefix}{bare}{:02}", self.steps)
    }

    fn tells(&self, id: String, body: String, proof: Proof) -> Callback {
        let path = format!("/webhooks/payments/{}/{}", self.provider.as_str(), self.shop);
        Callback { id, path, body: Bytes::from(body), proof }
    }
}

fn payment_id(provider: Provider, unique: Uuid) -> String {
    let unique = unique.simple().to_string();
    match provider {
        Provider::Stripe => format!("pi_{unique}"),
        Provider::Adyen => unique.to_uppercase(),
        Provider::Mollie => format!("tr_{unique}"),
        Provider::Standard => format!("pay_{unique}"),
    }
}

/// The header that every body of JSON comes with.
fn json_header() -> (&'static str, String) {
    ("Content-Type", "application/json".to_owned())
}

fn seconds(now: Timestamp) -> i64 {
    now.0.div_euclid(1_000_000)
}

/// In RFC 3339, to the second.
fn moment(now: Timestamp) -> String {
    // Beyond what can be written is beyond what can be sent.
    jiff::Timestamp::from_second(seconds(now)).unwrap_or_default().to_string()
}

fn mac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.chain_update(message).finalize().into_bytes().into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn base64(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests;
