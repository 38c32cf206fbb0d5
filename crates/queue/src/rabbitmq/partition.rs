//! Which of several queues an envelope goes to, where one is not enough.
//!
//! By its shop and the order that its body seems to name, so that what comes of one order mostly
//! waits behind each other. Only a hint: deciding is a join, and any order of arrival ends the same.
//! So the body is searched for one name and not parsed: ingress stays thin.

use domain::{BodyHash, Envelope};

/// How far into a body is looked: platforms name the order at its beginning.
const LOOK_BYTES_MAX: usize = 64 * 1024;

/// The place of an envelope's queue among `partitions`.
pub(super) fn of(envelope: &Envelope, partitions: usize) -> usize {
    let id = match order(&envelope.topic, &envelope.body) {
        Some(order) => order,
        None => envelope.webhook.as_str().as_bytes(),
    };
    // The same in every release: old and new programs send side by side.
    let hash = BodyHash::of(&[envelope.shop.as_str().as_bytes(), b"/", id].concat());
    let (first, _) = hash.0.split_first_chunk().expect("a hash is longer");
    let count = u64::try_from(partitions.max(1)).unwrap_or(1);
    usize::try_from(u64::from_be_bytes(*first) % count).unwrap_or(0)
}

/// The order's id as it stands in the body: an order's own, or that of which a part tells.
fn order<'a>(topic: &str, body: &'a [u8]) -> Option<&'a [u8]> {
    let body = &body[..body.len().min(LOOK_BYTES_MAX)];
    match topic {
        // Within its one member, the edit.
        "orders/edited" => member(body, 2, b"\"order_id\""),
        _ if topic.starts_with("orders/") || topic.starts_with("order.") => {
            member(body, 1, b"\"id\"")
        }
        _ => member(body, 1, b"\"order_id\""),
    }
}

/// The number or text after `name` (in its quotes) so `deep` in the outermost object, without quotes.
fn member<'a>(body: &'a [u8], deep: u32, name: &[u8]) -> Option<&'a [u8]> {
    let (mut depth, mut at) = (0_u32, 0);
    while at < body.len() {
        match body[at] {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                let end = end_of_text(body, at)?;
                if depth == deep
                    && body[at..end] == *name
                    && let Some(value) = after_colon(body, end)
                {
                    return scalar(value);
                }
                at = end;
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// Where the text that begins at `start` is over.
fn end_of_text(body: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match body.get(at)? {
            b'\\' => at += 2,
            b'"' => return Some(at + 1),
            _ => at += 1,
        }
    }
}

/// What follows the colon; `None`: it was a value and not a name.
fn after_colon(body: &[u8], at: usize) -> Option<&[u8]> {
    Some(body[at..].trim_ascii_start().strip_prefix(b":")?.trim_ascii_start())
}

fn scalar(value: &[u8]) -> Option<&[u8]> {
    if value.first() == Some(&b'"') {
        return end_of_text(value, 0).map(|end| &value[1..end - 1]);
    }
    let digits = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (digits > 0).then(|| &value[..digits])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(topic: &str, body: &str) -> Option<String> {
        order(topic, body.as_bytes()).map(|order| String::from_utf8_lossy(order).into_owned())
    }

    #[test]
    fn an_order_goes_where_every_release_sends_it() {
        let mut envelope = Envelope {
            id: domain::EnvelopeId(uuid::Uuid::nil()),
            platform: domain::Platform::Shopify,
            provider: None,
            shop: domain::ShopId::new("demo"),
            webhook: domain::WebhookId::new("w1"),
            topic: "orders/create".to_owned(),
            event: None,
            api_version: None,
            triggered_at: None,
            received_at: domain::Timestamp(0),
            signature: None,
            signed_by: None,
            traceparent: None,
            body: br#"{"id":42}"#[..].into(),
        };
        assert_eq!(of(&envelope, 16), 14);
        (envelope.topic, envelope.body) =
            ("refunds/create".to_owned(), br#"{"id":9,"order_id":42}"#[..].into());
        assert_eq!(of(&envelope, 16), 14, "its refund");
        envelope.body = br#"{"id":9}"#[..].into();
        assert_eq!(of(&envelope, 16), 10, "by its own id");
    }

    #[test]
    fn an_order_and_its_parts_name_the_same_order() {
        let of_order =
            said("orders/create", r#"{ "name":"\"id\":7", "id" : 42, "lines":[{"id":1}]}"#);
        assert_eq!(of_order.as_deref(), Some("42"));
        let of_part = said("refunds/create", r#"{"id":9,"x":{"order_id":8},"order_id":42}"#);
        assert_eq!(of_part.as_deref(), Some("42"));
        let of_edit = said("orders/edited", r#"{"order_edit":{"id":9,"order_id":42}}"#);
        assert_eq!(of_edit.as_deref(), Some("42"));
        assert_eq!(said("order.updated", r#"{"id":"42"}"#).as_deref(), Some("42"));
    }

    #[test]
    fn what_names_no_order_names_none() {
        for body in ["", "{", "[]", r#"{"id":null}"#, r#"{"a":"id"}"#, r#"{"id"#, r#"{"id":"4"#] {
            assert_eq!(said("orders/create", body), None, "{body}");
        }
        assert_eq!(said("products/update", r#"{"id":4}"#), None);
    }
}
