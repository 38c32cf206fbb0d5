//! Who sends, as far as a path tells, and how their requests become envelopes.

use axum::http::HeaderMap;
use bytes::Bytes;
use domain::{Envelope, EnvelopeId, Platform, Provider, ShopId, Timestamp};
use platforms::{Refused, Shop, Shops, payments, shopify, woocommerce};
use uuid::Uuid;

use crate::respond::Refusal;

/// How much of what anybody could have sent goes into a log line, of each value.
const LOGGED_BYTES_MAX: usize = 100;

const SHOPIFY_DOMAIN: &[&str] = &["x-shopify-shop-domain", "shopify-shop-domain"];

/// A path for webhooks, with what the sender has put into it.
#[derive(Clone, Debug)]
pub(crate) enum Door {
    Shopify,
    WooCommerce { shop: String },
    Payments { provider: String, shop: String },
}

impl Door {
    /// Whom a webhook may come from.
    pub(crate) fn labels() -> impl Iterator<Item = &'static str> {
        let platforms = [Platform::Shopify, Platform::WooCommerce].map(Platform::as_str);
        platforms.into_iter().chain(Provider::ALL.map(Provider::as_str))
    }

    /// For metrics: one of a few, whatever was sent.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Door::Shopify => Platform::Shopify.as_str(),
            Door::WooCommerce { .. } => Platform::WooCommerce.as_str(),
            Door::Payments { provider, .. } => {
                Provider::from_path(provider).map_or(Platform::Payments.as_str(), Provider::as_str)
            }
        }
    }

    /// The name of a request's span: its path as the routes have it, so one of a few.
    pub(crate) fn span(&self) -> &'static str {
        match self {
            Door::Shopify => "POST /webhooks/shopify",
            Door::WooCommerce { .. } => "POST /webhooks/woocommerce/{shop}",
            Door::Payments { .. } => "POST /webhooks/payments/{provider}/{shop}",
        }
    }

    /// The sender that the shops file knows under this path.
    pub(crate) fn sender<'a>(&self, shops: &'a Shops) -> Result<Sender<'a>, Refusal> {
        Ok(match self {
            Door::Shopify => Sender::Shopify(shops),
            Door::WooCommerce { shop } => {
                Sender::WooCommerce(named(shops, shop, Platform::WooCommerce)?)
            }
            Door::Payments { provider, shop } => {
                let provider = known_provider(provider)?;
                Sender::Payments(provider, named(shops, shop, Platform::Payments)?)
            }
        })
    }

    pub(crate) fn claims<'a>(&'a self, headers: &'a HeaderMap) -> Claims<'a> {
        let traceparent = value(headers, &["traceparent"]);
        match self {
            Door::Shopify => Claims {
                shop: None,
                domain: value(headers, SHOPIFY_DOMAIN),
                topic: value(headers, &["x-shopify-topic", "shopify-topic"]),
                traceparent,
            },
            Door::WooCommerce { shop } => Claims {
                shop: Some(capped(shop)),
                domain: None,
                topic: value(headers, &["x-wc-webhook-topic"]),
                traceparent,
            },
            Door::Payments { shop, .. } => {
                Claims { shop: Some(capped(shop)), domain: None, topic: None, traceparent }
            }
        }
    }
}

/// What a request says of itself, true or not; short enough for a log line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claims<'a> {
    pub(crate) shop: Option<&'a str>,
    pub(crate) domain: Option<&'a str>,
    pub(crate) topic: Option<&'a str>,
    pub(crate) traceparent: Option<&'a str>,
}

/// One whom the shops file knows.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sender<'a> {
    /// All Shopify shops share one path: a header names the shop, and the signature proves it.
    Shopify(&'a Shops),
    WooCommerce(&'a Shop),
    Payments(Provider, &'a Shop),
}

impl<'a> Sender<'a> {
    /// The shop that the request says it comes from, true or not, if it is one of ours.
    pub(crate) fn claimed(self, headers: &HeaderMap) -> Option<&'a Shop> {
        match self {
            Sender::Shopify(shops) => shops.shopify(value(headers, SHOPIFY_DOMAIN)?),
            Sender::WooCommerce(shop) | Sender::Payments(_, shop) => Some(shop),
        }
    }

    /// Checks the signature and makes the request envelopes: none where there is nothing to do but
    /// to answer, several where one request brings several webhooks.
    pub(crate) fn receive(
        self,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<Vec<Envelope>, Refused> {
        let mut new_id = || EnvelopeId(Uuid::now_v7());
        let now = Timestamp(jiff::Timestamp::now().as_microsecond());
        match self {
            Sender::Shopify(shops) => {
                shopify::receive(headers, body, shops, new_id(), now).map(|envelope| vec![envelope])
            }
            Sender::WooCommerce(shop) => {
                woocommerce::receive(headers, body, shop, new_id(), now).map(Vec::from_iter)
            }
            Sender::Payments(provider, shop) => {
                payments::receive(provider, headers, body, shop, &mut new_id, now)
            }
        }
    }

    /// The body of the 200 that this sender takes for a yes.
    pub(crate) fn yes(self) -> &'static str {
        match self {
            Sender::Payments(provider, _) => payments::answer(provider),
            Sender::Shopify(_) | Sender::WooCommerce(_) => "",
        }
    }
}

/// The shop of this name. One of another platform does not send here.
fn named<'a>(shops: &'a Shops, name: &str, platform: Platform) -> Result<&'a Shop, Refusal> {
    shops
        .get(&ShopId::new(name))
        .filter(|shop| shop.platform == platform)
        .ok_or(Refusal::UnknownShop(platform))
}

fn known_provider(name: &str) -> Result<Provider, Refusal> {
    match name {
        "paypal" => Err(Refusal::PayPal),
        other => Provider::from_path(other).ok_or(Refusal::UnknownProvider),
    }
}

/// A header under the first of its names that is there; nothing that is not text.
fn value<'a>(headers: &'a HeaderMap, names: &[&str]) -> Option<&'a str> {
    names
        .iter()
        .find_map(|name| headers.get(*name))
        .and_then(|value| value.to_str().ok())
        .map(capped)
}

fn capped(text: &str) -> &str {
    &text[..text.floor_char_boundary(LOGGED_BYTES_MAX)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_do_not_follow_what_senders_invent() {
        let payments = |provider: &str| Door::Payments {
            provider: provider.to_owned(),
            shop: "any".to_owned(),
        };
        assert_eq!(payments("adyen").label(), "adyen");
        assert_eq!(payments("invented").label(), "payments");
        assert_eq!(payments("Stripe").label(), "payments");
    }

    #[test]
    fn what_goes_into_a_log_line_is_short_and_text() {
        let door = Door::WooCommerce { shop: "ü".repeat(1_000) };
        let mut headers = HeaderMap::new();
        let topic = "t".repeat(1_000).parse().expect("a header's value");
        headers.insert("x-wc-webhook-topic", topic);
        let claims = door.claims(&headers);
        assert_eq!(claims.shop, Some("ü".repeat(LOGGED_BYTES_MAX / 2).as_str()));
        assert_eq!(claims.topic, Some("t".repeat(LOGGED_BYTES_MAX).as_str()));
        headers.insert("x-wc-webhook-topic", b"\xff".as_slice().try_into().expect("opaque"));
        assert_eq!(door.claims(&headers).topic, None);
    }
}
