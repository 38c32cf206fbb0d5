//! What people ask about sales channels: payments, listings, the platforms' own catalogue and stock,
//! and what customers ask of whoever holds their data.

use std::future::Future;

use domain::order::LinePart;
use domain::sighting::Thing;
use domain::{
    EnvelopeId, ListingKey, OrderId, OrderKey, Payment, PaymentId, PaymentKey, ShopId, Sku,
    Timestamp, Variant, Version,
};

use crate::StoreError;
use crate::reports::Fields;

/// The side of a store that knows the channels, for the command line, the console and alerts.
pub trait Channels {
    /// Payments, newest first.
    fn payments(
        &self,
        filter: &PaymentFilter,
    ) -> impl Future<Output = Result<Vec<PaymentRow>, StoreError>> + Send;

    /// What operators say that variants stand for, by shop and variant.
    fn listings(
        &self,
        shop: Option<&ShopId>,
    ) -> impl Future<Output = Result<Vec<(ListingKey, LinePart)>, StoreError>> + Send;

    /// Makes each variant stand for these parts and nothing else; for none: for whatever its line's
    /// SKU says. All or nothing. Lines that were seen before keep what they were resolved to.
    fn set_listings(
        &self,
        listings: &[(ListingKey, Vec<LinePart>)],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// What a shop's platform says of its catalogue and stock: up to `limit` things after `after`.
    fn sightings(
        &self,
        shop: &ShopId,
        after: Option<&SightingRow>,
        limit: i64,
    ) -> impl Future<Output = Result<Vec<SightingRow>, StoreError>> + Send;

    /// When a webhook of the shop came last that is none of those that follow an app's removal, if
    /// that was after `since`.
    fn last_webhook(
        &self,
        shop: &ShopId,
        since: Timestamp,
    ) -> impl Future<Output = Result<Option<Timestamp>, StoreError>> + Send;

    /// Customers' requests, the most urgent first; closed ones only when asked for.
    fn privacy_requests(
        &self,
        closed_too: bool,
        limit: i64,
    ) -> impl Future<Output = Result<Vec<PrivacyRow>, StoreError>> + Send;

    /// Notes that a request for data was answered. `false`: there is no such open one.
    fn close_privacy_request(
        &self,
        id: EnvelopeId,
        note: &str,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

/// Which payments to list. Empty: all.
#[derive(Clone, Debug, Default)]
pub struct PaymentFilter {
    /// The payments shop.
    pub shop: Option<ShopId>,
    pub payment: Option<PaymentId>,
    pub order: Option<OrderKey>,
    /// Only those whose order nobody named or has seen, first heard of before this moment.
    pub unlinked_before: Option<Timestamp>,
    pub limit: i64,
}

/// One payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentRow {
    pub key: PaymentKey,
    /// The order that it pays for, as far as anybody said.
    pub order: Option<OrderKey>,
    /// That order has come.
    pub linked: bool,
    pub first_seen_at: Timestamp,
    pub payment: Payment,
}

/// One thing that a platform showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SightingRow {
    pub kind: String,
    pub id: String,
    pub place: String,
    pub seen_at: Timestamp,
    pub gone: bool,
    /// `None`: a later program wrote it.
    pub thing: Option<Thing>,
}

/// A customer's request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivacyRow {
    pub id: String,
    pub shop: ShopId,
    pub kind: String,
    pub customer: Option<String>,
    /// Ids, separated by spaces.
    pub orders: String,
    pub received_at: Timestamp,
    pub due_at: Timestamp,
    pub closed_at: Option<Timestamp>,
    pub closed_note: Option<String>,
}

impl PrivacyRow {
    /// When an open request for removal is carried out again; `None`: it was not yet.
    pub fn again_at(&self) -> Option<Timestamp> {
        self.closed_note.as_deref().and_then(crate::redactions::again_at)
    }
}

pub(crate) fn payment_row(row: &impl Fields) -> Result<PaymentRow, StoreError> {
    let key = PaymentKey { shop: ShopId::new(row.text(0)), payment: row.text(1).as_str().into() };
    let mut payment: Payment = serde_json::from_str(&row.text(3)).map_err(|error| {
        StoreError::Rejected(format!("payment {key} is unreadable: {error}").into())
    })?;
    payment.version = Version(row.int(2));
    let order = row.text_opt(4).zip(row.text_opt(5));
    let order =
        order.map(|(shop, order)| OrderKey { shop: ShopId::new(shop), order: OrderId::new(order) });
    let linked = row.int(6) != 0;
    Ok(PaymentRow { key, order, linked, first_seen_at: Timestamp(row.int(7)), payment })
}

pub(crate) fn listing_row(row: &impl Fields) -> (ListingKey, LinePart) {
    let key = ListingKey { shop: ShopId::new(row.text(0)), variant: Variant::new(row.text(1)) };
    (key, LinePart { sku: Sku::new(row.text(2)), units: row.int(3) })
}

pub(crate) fn sighting_row(row: &impl Fields) -> SightingRow {
    SightingRow {
        kind: row.text(0),
        id: row.text(1),
        place: row.text(2),
        seen_at: Timestamp(row.int(3)),
        gone: row.int(4) != 0,
        thing: serde_json::from_str(&row.text(5)).ok(),
    }
}

pub(crate) fn privacy_row(row: &impl Fields) -> PrivacyRow {
    PrivacyRow {
        id: row.text(0),
        shop: ShopId::new(row.text(1)),
        kind: row.text(2),
        customer: row.text_opt(3),
        // What follows in other lines finds the customer and is not for showing.
        orders: row.text(4).lines().next().unwrap_or_default().to_owned(),
        received_at: Timestamp(row.int(5)),
        due_at: Timestamp(row.int(6)),
        closed_at: row.int_opt(7).map(Timestamp),
        closed_note: row.text_opt(8),
    }
}

/// (shop, variant, sku, units) of every part.
pub(crate) fn parts(listings: &[(ListingKey, Vec<LinePart>)]) -> Vec<(&ListingKey, &LinePart)> {
    listings.iter().flat_map(|(key, parts)| parts.iter().map(move |part| (key, part))).collect()
}
