//! What is counted for each shop: when its last webhook came, and signatures that were refused.

use std::time::{SystemTime, UNIX_EPOCH};

use domain::ShopId;
use metrics::{Unit, counter, gauge};
use platforms::{Refused, Shops};

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
    if let Some(label) = shops.label(shop) {
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
    if let Some(label) = shops.label(shop) {
        counter!(REFUSED, "shop" => label, "reason" => reason).increment(1);
    }
}
