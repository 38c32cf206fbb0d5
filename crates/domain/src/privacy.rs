//! What people may ask of whoever holds their data, as platforms pass it on.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::ids::{OrderId, ShopId};
use crate::time::Timestamp;

/// The law gives the merchant so long to answer.
pub const ANSWER_WITHIN_DAYS: i64 = 30;

/// One request, as a platform passed it on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PrivacyRequest {
    pub kind: PrivacyKind,
    /// The shop's own name for itself: headers are not signed, so a request that one shop signed could
    /// be sent in the name of another.
    pub domain: String,
    /// The platform's ids of whom it is about; never a name or an address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub orders: BTreeSet<OrderId>,
    /// What else finds the customer in a body: an address, a number. Never stored or shown.
    #[serde(skip)]
    pub traces: Vec<String>,
}

impl PrivacyRequest {
    /// The orders' ids in one text, for a column.
    pub fn orders_text(&self) -> String {
        let ids: Vec<&str> = self.orders.iter().map(OrderId::as_str).collect();
        ids.join(" ")
    }
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrivacyKind {
    /// The customer wants to see all that is held of them: for a person to answer.
    DataRequest,
    /// All that is held of the customer is to go.
    RedactCustomer,
    /// All that is held of the shop's customers is to go.
    RedactShop,
}

impl PrivacyKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DataRequest => "data_request",
            Self::RedactCustomer => "redact_customer",
            Self::RedactShop => "redact_shop",
        }
    }
}

/// A request as it is kept, for the person who has to answer it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptRequest {
    /// The webhook that brought it.
    pub id: crate::EnvelopeId,
    pub shop: ShopId,
    pub request: PrivacyRequest,
    pub received_at: Timestamp,
    /// When the answer must have been given.
    pub due_at: Timestamp,
    /// Nothing is left to do: what was to go is gone.
    pub done: bool,
}
