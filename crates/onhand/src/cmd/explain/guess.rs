//! Whose a payment callback is, and what is in it, by its looks: no address and no header tells.

use domain::Provider;
use platforms::payments;
use serde_json::Value;

use super::TOPIC_OF_BODY;

/// Whom the body looks like.
pub(super) fn provider(body: &[u8]) -> Option<Provider> {
    let Ok(json) = serde_json::from_slice::<Value>(body) else {
        return payments::unsigned_topic(Provider::Mollie, body).map(|_| Provider::Mollie);
    };
    let has = |names: &[&str]| names.iter().all(|name| json.get(name).is_some());
    if json["object"] == "event" {
        return Some(Provider::Stripe);
    }
    if has(&["notificationItems"]) || has(&["NotificationRequestItem"]) || has(&["pspReference"]) {
        return Some(Provider::Adyen);
    }
    if json["resource"] == "event" || has(&["entityId"]) {
        return Some(Provider::Mollie);
    }
    has(&["type", "data"]).then_some(Provider::Standard)
}

/// PayPal's events, which nobody takes here.
pub(super) fn is_paypal(body: &[u8]) -> bool {
    let json = serde_json::from_slice::<Value>(body).unwrap_or_default();
    ["event_type", "resource_type"].iter().all(|name| json.get(name).is_some())
}

/// The topic that ingress would have given it.
pub(super) fn topic(provider: Provider, body: &[u8]) -> &'static str {
    payments::unsigned_topic(provider, body).unwrap_or(TOPIC_OF_BODY)
}

/// The items of a notification, each as ingress would pass it on. `None`: it is no notification, so
/// perhaps an item already.
pub(super) fn adyen_items(body: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut json: Value = serde_json::from_slice(body).ok()?;
    let wrapped = match json.get_mut("notificationItems").map(Value::take) {
        Some(Value::Array(items)) => items,
        Some(_) => return None,
        None => vec![json],
    };
    let item = |mut wrapped: Value| {
        let item = wrapped.get_mut("NotificationRequestItem").map(Value::take);
        Some(item?.to_string().into_bytes())
    };
    let items: Vec<Vec<u8>> = wrapped.into_iter().map(item).collect::<Option<_>>()?;
    (!items.is_empty()).then_some(items)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_provider_has_its_looks() {
        for (body, expected) in [
            (r#"{"object":"event","type":"charge.succeeded","data":{}}"#, Some(Provider::Stripe)),
            (r#"{"live":"false","notificationItems":[]}"#, Some(Provider::Adyen)),
            (r#"{"pspReference":"1","eventCode":"CAPTURE"}"#, Some(Provider::Adyen)),
            ("id=tr_7UhSN1zuXS", Some(Provider::Mollie)),
            ("id=ord_kEn1PlbGa", Some(Provider::Mollie)),
            ("amount=5&id=tr_7UhSN1zuXS", None),
            (r#"{"resource":"event","type":"payment.paid"}"#, Some(Provider::Mollie)),
            (r#"{"type":"payment.captured","data":{}}"#, Some(Provider::Standard)),
            (r#"{"id":1}"#, None),
            ("hello", None),
        ] {
            assert_eq!(provider(body.as_bytes()), expected, "{body}");
        }
    }

    #[test]
    fn a_notification_is_taken_apart() {
        let items = |body: &str| {
            let items = adyen_items(body.as_bytes())?;
            Some(items.into_iter().map(|item| String::from_utf8(item).unwrap()).collect::<Vec<_>>())
        };
        let two = r#"{"notificationItems":[{"NotificationRequestItem":{"a":1}},
                                          {"NotificationRequestItem":{"a":2}}]}"#;
        assert_eq!(items(two), Some(vec![r#"{"a":1}"#.to_owned(), r#"{"a":2}"#.to_owned()]));
        let one = r#"{"NotificationRequestItem":{"a":1}}"#;
        assert_eq!(items(one), Some(vec![r#"{"a":1}"#.to_owned()]));
        assert_eq!(items(r#"{"a":1}"#), None, "an item as it is");
        assert_eq!(items(r#"{"notificationItems":[]}"#), None, "the parser says what is wrong");
    }
}
