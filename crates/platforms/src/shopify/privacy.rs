//! The topics that the law demands: what a customer or a shop asks to see, or to have erased.
//!
//! Their bodies have neither a kind nor a moment; each is told by the fields that it alone has.

use domain::OrderId;
use domain::privacy::{PrivacyKind, PrivacyRequest};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::Unfit;
use super::id::Id;
use crate::value::{self, Object, Stated, Text, stated};

/// All three bodies, which differ in what they leave out.
#[derive(Deserialize)]
struct Request<'a> {
    shop_id: Option<Id>,
    #[serde(borrow)]
    shop_domain: Option<Text<'a>>,
    #[serde(default, deserialize_with = "stated")]
    customer: Stated<Object<Customer<'a>>>,
    #[serde(default, deserialize_with = "stated")]
    data_request: Stated<IgnoredAny>,
    #[serde(default, deserialize_with = "stated")]
    orders_requested: Stated<Vec<Id>>,
    #[serde(default, deserialize_with = "stated")]
    orders_to_redact: Stated<Vec<Id>>,
}

#[derive(Deserialize)]
struct Customer<'a> {
    id: Option<Id>,
    #[serde(borrow)]
    email: Option<Text<'a>>,
    phone: Option<Text<'a>>,
}

/// `customers/data_request`, `customers/redact` and `shop/redact`: what the topic is called `kind`.
pub(super) fn request(body: &[u8], kind: PrivacyKind) -> Result<PrivacyRequest, Unfit> {
    let request: Request<'_> = value::read(body)?;
    let of = request.kind().ok_or(Unfit::Other("something that is no privacy request"))?;
    if of != kind {
        return Err(Unfit::Other(match of {
            PrivacyKind::DataRequest => "a customer's request for data",
            PrivacyKind::RedactCustomer => "a request to redact a customer",
            PrivacyKind::RedactShop => "a request to redact a shop",
        }));
    }
    let customer = request.customer.flatten().map(|Object(customer)| customer);
    let orders = [request.orders_requested, request.orders_to_redact].into_iter().flatten();
    let domain = request.shop_domain.as_ref().ok_or("shop_domain: missing")?;
    let request = PrivacyRequest {
        kind,
        domain: domain.as_str().to_ascii_lowercase(),
        customer: customer.as_ref().and_then(|of| of.id).map(|id| id.to_string()),
        orders: orders.flatten().flatten().map(|id| OrderId::new(id.to_string())).collect(),
        traces: customer.as_ref().map(Customer::traces).unwrap_or_default(),
    };
    let names_nobody =
        request.customer.is_none() && request.orders.is_empty() && request.traces.is_empty();
    if kind != PrivacyKind::RedactShop && names_nobody {
        return Err("customer: missing".into());
    }
    Ok(request)
}

impl Request<'_> {
    /// What the body asks by itself.
    fn kind(&self) -> Option<PrivacyKind> {
        let of_customer = self.customer.is_some();
        let wants_data = self.data_request.is_some() || self.orders_requested.is_some();
        let wants_redaction = self.orders_to_redact.is_some();
        let of_shop = self.shop_id.is_some() && self.shop_domain.is_some();
        match (of_customer, wants_data, wants_redaction) {
            (true, true, false) => Some(PrivacyKind::DataRequest),
            (true, false, true) => Some(PrivacyKind::RedactCustomer),
            (false, false, false) if of_shop => Some(PrivacyKind::RedactShop),
            _ => None,
        }
    }
}

impl Customer<'_> {
    /// What is blank would be found in every body.
    fn traces(&self) -> Vec<String> {
        let traces = [&self.email, &self.phone].into_iter().flatten().map(Text::as_str);
        traces.filter(|trace| !trace.trim().is_empty()).map(str::to_owned).collect()
    }
}
