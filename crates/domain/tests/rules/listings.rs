//! What a line stands for: a listing, its SKU, or what the catalogue says of its variant.

use domain::order::{FulfilmentStatus, OrderFlag};
use domain::{OrderFact, Outcome, Policy, Sku, Variant};
use testkit::shopify::{LOCATION, ShopifyOrder};

use crate::world::{applied, ten_bowls};

/// The variant of a fact's first line.
fn variant(fact: &OrderFact) -> Variant {
    fact.lines.values().next().and_then(|line| line.variant.clone()).expect("it has a variant")
}

#[test]
fn a_kit_is_exploded_and_its_parts_are_summed_with_other_lines() {
    let mut world = ten_bowls().with("CUP", 10);
    let mut order = ShopifyOrder::new(1).line("SET", 2).line("BOWL", 1);
    let fact = order.fact("orders/create");
    world.store.list("demo", variant(&fact).as_str(), &[("BOWL", 1), ("CUP", 2)]);
    assert_eq!(world.decide(fact), applied());
    assert_eq!((world.stock("BOWL"), world.stock("CUP")), ((10, 3), (10, 4)));

    order.fulfil_at(LOCATION, FulfilmentStatus::Success, &[(0, 1)]);
    assert_eq!(world.send(&order, "fulfillments/create"), applied());
    assert_eq!((world.stock("BOWL"), world.stock("CUP")), ((9, 2), (8, 2)));
}

#[test]
fn a_kit_of_which_one_part_is_missing_commits_nothing() {
    let mut world = ten_bowls().with("CUP", 3);
    let order = ShopifyOrder::new(1).line("SET", 2);
    let fact = order.fact("orders/create");
    world.store.list("demo", variant(&fact).as_str(), &[("BOWL", 1), ("CUP", 2)]);
    assert_eq!(world.decide(fact).outcome, Outcome::Short);
    assert_eq!((world.stock("BOWL"), world.stock("CUP")), ((10, 0), (3, 0)));
}

#[test]
fn a_listing_goes_before_the_lines_own_sku() {
    let mut world = ten_bowls().with("DISH", 5);
    let order = ShopifyOrder::new(1).line("BOWL", 2);
    let fact = order.fact("orders/create");
    world.store.list("demo", variant(&fact).as_str(), &[("DISH", 1)]);
    assert_eq!(world.decide(fact), applied());
    assert_eq!((world.stock("BOWL"), world.stock("DISH")), ((10, 0), (5, 2)));
}

#[test]
fn a_line_keeps_what_it_stood_for_when_it_was_first_seen() {
    let mut world = ten_bowls().with("DISH", 5);
    let mut order = ShopifyOrder::new(1).line("BOWL", 2);
    let fact = order.fact("orders/create");
    let variant = variant(&fact);
    world.decide(fact);
    world.store.list("demo", variant.as_str(), &[("DISH", 1)]);
    order.edit(0, 1);
    assert_eq!(world.send(&order, "orders/updated"), applied());
    assert_eq!((world.stock("BOWL"), world.stock("DISH")), ((10, 3), (5, 0)));
}

#[test]
fn a_listing_of_another_shop_is_none() {
    let mut world = ten_bowls().with("DISH", 5);
    let fact = ShopifyOrder::new(1).line("BOWL", 2).fact("orders/create");
    world.store.list("other", variant(&fact).as_str(), &[("DISH", 1)]);
    assert_eq!(world.decide(fact), applied());
    assert_eq!((world.stock("BOWL"), world.stock("DISH")), ((10, 2), (5, 0)));
}

#[test]
fn a_listing_that_names_no_item_is_a_dead_letter_that_says_which() {
    let mut world = ten_bowls();
    let fact = ShopifyOrder::new(1).line("BOWL", 2).fact("orders/create");
    world.store.list("demo", variant(&fact).as_str(), &[("BOWL", 1), ("LID", 1)]);
    let verdict = world.decide(fact);
    assert_eq!((verdict.outcome, verdict.reason), (Outcome::Dead, Some("unknown_sku")));
    assert!(verdict.detail.expect("says why").contains("LID"));
}

#[test]
fn a_line_without_a_sku_is_told_how_it_gets_one() {
    let mut world = ten_bowls();
    let mut fact = ShopifyOrder::new(1).line("BOWL", 2).fact("orders/create");
    for line in fact.lines.values_mut() {
        line.sku = None;
    }
    let variant = variant(&fact);
    let verdict = world.decide(fact.clone());
    let detail = verdict.detail.expect("says why");
    assert!(detail.contains(&format!("onhand listing set demo {variant} SKU")), "{detail}");
    world.store.list("demo", variant.as_str(), &[("BOWL", 1)]);
    assert_eq!(world.decide(fact), applied());
    assert_eq!(world.stock("BOWL"), (10, 2));
    let key = crate::world::order_key("1");
    let order = &world.store.orders()[&key].order;
    assert_eq!(order.committed(&Sku::new("BOWL")), 2);
    assert!(!order.flags(&Policy::default()).contains(&OrderFlag::Uncovered));
}
