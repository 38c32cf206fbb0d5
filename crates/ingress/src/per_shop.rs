//! What is counted for each shop: when its last webhook came, and signatures that were refused.
//!
//! A shop is a label only while there are few, and only under its name in the shops file: nothing
//! that a sender chooses becomes a label. With more shops than that, all are counted as `other`.

use std::time::{SystemTime, UNIX_EPOCH};

use domain::ShopId;
use metrics::{Unit, counter, gauge};
use platforms::{Refused, Shops};

/// With more shops in the file, no shop is a label.
const LABELS_MAX: usize = 50;

const OTHER: &str = "other";

const LAST: &str = "onhand_shop_last_webhook_timestamp_seconds";
const REFUSED: &str = "onhand_shop_signatures_refused_total";

pub(crate) fn describe() {
    metrics::describe_gauge!(LAST, Unit::Seconds, "When a shop's last webhook was taken");
    metrics::describe_counter!(
        REFUSED,
        "Requests in a shop's name that it did not sign, by reason"
    );
}

/// A webhook of `shop` was taken.
pub(crate) fn taken(shops: &Shops, shop: &ShopId) {
    if let Some(label) = label(shops, shop) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        gauge!(LAST, "shop" => label).set(now);
    }
}

/// A request that says it comes from `shop` was refused.
pub(crate) fn refused(shops: &Shops, shop: &ShopId, why: Refused) {
    let reason = match why {
        Refused::Unauthorized(_) => "bad_signature",
        Refused::Stale => "stale_signature",
        Refused::MissingHeader(_) => return,
    };
    if let Some(label) = label(shops, shop) {
        counter!(REFUSED, "shop" => label, "reason" => reason).increment(1);
    }
}

/// `None`: the file does not name it.
fn label(shops: &Shops, shop: &ShopId) -> Option<String> {
    let shop = shops.get(shop)?;
    let label = if shops.count() <= LABELS_MAX { shop.name.as_str() } else { OTHER };
    Some(label.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shops(count: usize) -> Shops {
        let shop = |number: usize| {
            format!(
                "[[shop]]\nname = \"shop-{number}\"\nplatform = \"woocommerce\"\n\
                 secrets = [\"plain:{number}-is-a-secret-of-some-length\"]\n"
            )
        };
        let text: String = (1..=count).map(shop).collect();
        Shops::parse(&text, |entry| Ok(entry.to_owned())).expect("a good shops file")
    }

    #[test]
    fn a_shop_is_a_label_while_the_file_names_it_and_few_others() {
        let named = |count: usize, shop: &str| label(&shops(count), &ShopId::new(shop));
        assert_eq!(named(LABELS_MAX, "shop-1").as_deref(), Some("shop-1"));
        assert_eq!(named(LABELS_MAX, "invented"), None);
        assert_eq!(named(LABELS_MAX + 1, "shop-1").as_deref(), Some(OTHER));
        assert_eq!(named(LABELS_MAX + 1, "invented"), None);
    }
}
