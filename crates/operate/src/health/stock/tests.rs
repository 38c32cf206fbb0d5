use std::collections::BTreeMap;

use domain::{LocationId, ShopId, Sku};

use super::*;
use crate::below_zero::BelowZero;

const DAY: i64 = 86_400_000_000;

#[test]
fn short_orders_are_said_with_what_they_miss() {
    let said = |orders, missing: &[(&str, i64, i64)]| {
        let item = |&(sku, orders, available): &(&str, i64, i64)| MissingItem {
            sku: Sku::new(sku),
            orders,
            available,
        };
        short(&Shortage { orders, missing: missing.iter().map(item).collect() })
    };
    assert_eq!(said(0, &[]), None);
    let one = said(1, &[("CAP", 1, 0)]).expect("it is short");
    assert!(
        one.starts_with("1 order is short: it asks for more than there is of CAP (1 order, none")
    );
    assert!(one.contains("`onhand order retry`"), "{one}");
    let several = said(12, &[("CAP", 11, 0), ("MUG", 2, -3)]).expect("they are short");
    assert!(several.contains("of CAP (11 orders, none available), MUG (2 orders, −3 available)."));
    assert!(said(2, &[]).is_some_and(|said| said.contains("may be there by now")));
    let most = said(SHORT_MAX, &[]).expect("they are short");
    assert!(most.starts_with("2,000 orders or more"), "{most}");
}

fn verified(
    over: Option<BTreeMap<ShopId, usize>>,
    below_zero: Option<BelowZero>,
) -> Option<Verified> {
    Some(Verified { at: Timestamp(9 * DAY), violations: Vec::new(), over, below_zero })
}

#[test]
fn shops_that_would_sell_what_is_not_there_are_said_the_worst_first() {
    let said = |shops: &[(&str, usize)]| {
        let over = shops.iter().map(|(shop, items)| (ShopId::new(*shop), *items)).collect();
        drift(verified(Some(over), None).as_ref(), Timestamp(10 * DAY)).expect("it is known")
    };
    assert_eq!((said(&[]), said(&[("a", 0)])), (None, None));
    let one = said(&[("a", 0), ("b", 1)]).expect("b would");
    assert!(one.starts_with("The platform of shop b would sell what is not there: "), "{one}");
    assert!(one.contains("of 1 item it said 24 hours ago that it can sell more than"), "{one}");
    assert!(one.contains("are. ") && one.contains("`onhand stock drift --shop b`"), "{one}");
    let several = said(&[("a", 1_200), ("b", 3), ("c", 1)]).expect("they would");
    assert!(several.contains("shop a ") && several.contains("1,200 items"), "{several}");
    assert!(several.contains("(those of 2 more shops, too)"), "{several}");
}

#[test]
fn items_below_zero_are_said_with_the_lowest() {
    let said = |items, lowest: &[(&str, i64)]| {
        let key = |sku: &str| StockKey::new(&Sku::new(sku), &LocationId::new("main"));
        let lowest = lowest.iter().map(|(sku, available)| (key(sku), *available)).collect();
        let verified = verified(None, Some(BelowZero { items, lowest }));
        below_zero(verified.as_ref(), Timestamp(10 * DAY)).expect("it is known")
    };
    assert_eq!(said(0, &[]), None);
    let one = said(1, &[("CAP", -2)]).expect("one is");
    assert!(one.starts_with("1 item was sold below zero 24 hours ago, as "), "{one}");
    assert!(one.contains(": CAP at main (−2). Bring stock in"), "{one}");
    let several = said(1_001, &[("CAP", -1_200), ("MUG", -7)]).expect("they are");
    assert!(several.starts_with("1,001 items were"), "{several}");
    assert!(several.contains("lowest CAP at main (−1,200), MUG at main (−7)."), "{several}");
}

#[test]
fn nothing_is_said_of_stock_that_was_not_looked_at() {
    for verified in [None, verified(None, None)] {
        let now = Timestamp(10 * DAY);
        assert_eq!(drift(verified.as_ref(), now), Err(NotKnown));
        assert_eq!(below_zero(verified.as_ref(), now), Err(NotKnown));
    }
}
