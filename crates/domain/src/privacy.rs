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
    /// What else finds the customer in a body: an address, a number. Never shown, and stored only
    /// of a request for removal and until that is carried out.
    #[serde(skip)]
    pub traces: Vec<String>,
}

impl PrivacyRequest {
    /// What is kept in the column of orders: their ids in one line. Of what is to be removed there
    /// follows, each in a line of its own, what it takes to find it: the domain and the traces.
    pub fn orders_text(&self) -> String {
        let ids: Vec<&str> = self.orders.iter().map(OrderId::as_str).collect();
        let mut text = ids.join(" ");
        if self.kind.is_removal() {
            // What would break a line is in no body as it is: JSON escapes it.
            let traces = self.traces.iter().filter(|trace| !trace.contains(char::is_control));
            for line in std::iter::once(&self.domain).chain(traces) {
                text.push('\n');
                text.push_str(line);
            }
        }
        text
    }

    /// The request that was kept in these columns.
    pub fn from_columns(kind: PrivacyKind, customer: Option<String>, orders_text: &str) -> Self {
        let mut lines = orders_text.split('\n');
        let orders = lines.next().unwrap_or_default().split(' ').filter(|id| !id.is_empty());
        let orders = orders.map(OrderId::new).collect();
        let domain = lines.next().unwrap_or_default().to_owned();
        Self { kind, domain, customer, orders, traces: lines.map(str::to_owned).collect() }
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
    /// Onhand carries it out by itself; no person has to answer.
    pub fn is_removal(self) -> bool {
        match self {
            Self::DataRequest => false,
            Self::RedactCustomer | Self::RedactShop => true,
        }
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    fn request(kind: PrivacyKind) -> PrivacyRequest {
        PrivacyRequest {
            kind,
            domain: "demo.myshopify.com".to_owned(),
            customer: Some("70".to_owned()),
            orders: ["1".into(), "2".into()].into(),
            traces: vec!["kim@mail.example".to_owned(), "+49 30 1234".to_owned()],
        }
    }

    #[test]
    fn what_is_to_be_removed_is_kept_with_what_finds_it() {
        for orders in [Default::default(), ["1".into(), "2".into()].into()] {
            let kept = PrivacyRequest { orders, ..request(PrivacyKind::RedactCustomer) };
            let text = kept.orders_text();
            let read = PrivacyRequest::from_columns(kept.kind, kept.customer.clone(), &text);
            assert_eq!(read, kept, "{text}");
        }
    }

    #[test]
    fn no_trace_breaks_a_line_or_what_a_database_takes() {
        let mut odd = request(PrivacyKind::RedactCustomer);
        odd.traces.extend(["a\nb".to_owned(), "a\0b".to_owned()]);
        assert_eq!(odd.orders_text(), request(PrivacyKind::RedactCustomer).orders_text());
    }

    #[test]
    fn a_request_for_data_keeps_the_ids_of_the_orders_alone() {
        assert_eq!(request(PrivacyKind::DataRequest).orders_text(), "1 2");
    }
}
