//! Orders over several locations.

use domain::order::{FulfilmentStatus, Restock};
use domain::policy::WhenShort;
use domain::{LocationId, Outcome, PlatformLocation, Policy};
use testkit::shopify::{LineKind, ShopifyOrder};

use crate::world::{World, applied};

const NORTH: u64 = 11;
const SOUTH: u64 = 22;

fn two_locations() -> Policy {
    let (north, south) = (LocationId::new("north"), LocationId::new("south"));
    Policy {
        location_ids: [
            (PlatformLocation::new(NORTH.to_string()), north.clone()),
            (PlatformLocation::new(SOUTH.to_string()), south.clone()),
        ]
        .into(),
        locations: vec![north, south],
        ..Policy::default()
    }
}

fn world(north: i64, south: i64) -> World {
    World::new(two_locations())
        .with_row("BOWL", "north", north, 0)
        .with_row("BOWL", "south", south, 0)
}

/// Committed units in the north and in the south.
fn committed(world: &World) -> (i64, i64) {
    (world.stock_at("BOWL", "north").1, world.stock_at("BOWL", "south").1)
}

#[test]
fn an_increase_goes_to_the_first_location_that_serves_all_of_it() {
    let mut world = world(2, 5);
    assert_eq!(world.send(&ShopifyOrder::new(1).line("BOWL", 3), "orders/create"), applied());
    assert_eq!(committed(&world), (0, 3));
    assert_eq!(world.send(&ShopifyOrder::new(2).line("BOWL", 2), "orders/create"), applied());
    assert_eq!(committed(&world), (2, 3));
    // Four are there, but in no one place.
    let verdict = world.send(&ShopifyOrder::new(3).line("BOWL", 3), "orders/create");
    assert_eq!(verdict.outcome, Outcome::Short);
}

#[test]
fn an_increase_goes_where_the_order_already_is() {
    let mut world = world(2, 9);
    let mut order = ShopifyOrder::new(1).line("BOWL", 3);
    world.send(&order, "orders/create");
    order.edit(0, 2);
    world.send(&order, "orders/updated");
    assert_eq!(committed(&world), (0, 5));
}

#[test]
fn a_release_takes_the_shipping_location_first_then_the_last() {
    let mut world = world(3, 9);
    world.policy.when_short = WhenShort::Hold;
    let mut order = ShopifyOrder::new(1).line("BOWL", 3);
    world.send(&order, "orders/create");
    order.edit(0, 3);
    world.send(&order, "orders/updated");
    assert_eq!(committed(&world), (3, 3));
    order.fulfil_at(NORTH, FulfilmentStatus::Success, &[(0, 1)]);
    world.send(&order, "orders/updated");
    assert_eq!(committed(&world), (2, 3));
    order.refund(Restock::Cancel, Some(NORTH), &[(0, 1)]);
    world.send(&order, "orders/updated");
    assert_eq!(committed(&world), (2, 2));
}

#[test]
fn shipments_from_two_locations_at_once_each_find_their_own_units() {
    let mut world = world(5, 5);
    let mut order = ShopifyOrder::new(1).line("BOWL", 5);
    world.send(&order, "orders/create");
    order.edit(0, 5);
    world.send(&order, "orders/updated");
    assert_eq!(committed(&world), (5, 5));
    order.fulfil_at(NORTH, FulfilmentStatus::Success, &[(0, 3)]);
    order.fulfil_at(SOUTH, FulfilmentStatus::Success, &[(0, 1)]);
    world.send(&order, "orders/updated");
    assert_eq!(world.stock_at("BOWL", "north"), (2, 2));
    assert_eq!(world.stock_at("BOWL", "south"), (4, 4));
    assert!(world.order(&order).holdings.values().all(|held| held.uncovered == 0));
}

#[test]
fn shipping_from_elsewhere_releases_where_it_was_committed() {
    let mut world = world(5, 5);
    let mut order = ShopifyOrder::new(1).line("BOWL", 2);
    world.send(&order, "orders/create");
    order.fulfil_at(SOUTH, FulfilmentStatus::Success, &[(0, 2)]);
    world.send(&order, "fulfillments/create");
    assert_eq!(world.stock_at("BOWL", "north"), (5, 0));
    assert_eq!(world.stock_at("BOWL", "south"), (3, 0));
}

#[test]
fn a_return_lands_where_the_platform_says() {
    let mut world = world(5, 5);
    let mut order = ShopifyOrder::new(1).line("BOWL", 2);
    order.fulfil_at(NORTH, FulfilmentStatus::Success, &[(0, 2)]);
    world.send(&order, "orders/create");
    order.refund(Restock::Return, Some(SOUTH), &[(0, 1)]);
    world.send(&order, "refunds/create");
    assert_eq!(world.stock_at("BOWL", "north"), (3, 0));
    assert_eq!(world.stock_at("BOWL", "south"), (6, 0));
}

#[test]
fn an_unknown_location_is_a_dead_letter_until_it_is_mapped() {
    let mut world = world(5, 5);
    let mut order = ShopifyOrder::new(1).line("BOWL", 2);
    world.send(&order, "orders/create");
    order.fulfil_at(33, FulfilmentStatus::Success, &[(0, 2)]);
    let verdict = world.send(&order, "fulfillments/create");
    assert_eq!((verdict.outcome, verdict.reason), (Outcome::Dead, Some("unknown_location")));
    assert_eq!(committed(&world), (2, 0));
    world.policy.location_ids.insert(PlatformLocation::new("33"), LocationId::new("north"));
    assert_eq!(world.send(&order, "fulfillments/create"), applied());
    assert_eq!(world.stock_at("BOWL", "north"), (3, 0));
}

#[test]
fn an_unknown_location_is_refused_with_its_part_whichever_comes_first() {
    let mut order = ShopifyOrder::new(1).line("BOWL", 3);
    let placed = order.fact("orders/create");
    order.fulfil_at(33, FulfilmentStatus::Success, &[(0, 2)]);
    let shipped = order.fact("fulfillments/create");
    order.refund(Restock::Return, Some(33), &[(0, 1)]);
    let returned = order.fact("refunds/create");
    let parts = [&shipped, &returned];
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for arriving in orders {
        let mut world = world(5, 5);
        for at in arriving {
            let fact = [&placed, &shipped, &returned][at];
            let verdict = world.decide(fact.clone());
            let expected = if at == 0 { Outcome::Applied } else { Outcome::Dead };
            assert_eq!(verdict.outcome, expected, "{arriving:?}: {at}");
        }
        assert_eq!(committed(&world), (3, 0), "{arriving:?}");
        world.policy.location_ids.insert(PlatformLocation::new("33"), LocationId::new("south"));
        for at in arriving.iter().filter(|at| **at > 0) {
            assert_eq!(world.decide(parts[at - 1].clone()), applied(), "replayed");
        }
        let stock = (world.stock_at("BOWL", "north"), world.stock_at("BOWL", "south"));
        assert_eq!(stock, ((5, 1), (4, 0)), "{arriving:?}");
    }
}

#[test]
fn an_unknown_location_of_what_is_no_stock_matter_is_nothing_to_map() {
    let mut world = world(5, 5);
    let mut order = ShopifyOrder::new(1).line("BOWL", 1);
    order = order.line_of(LineKind::Tip, None, 1);
    world.send(&order, "orders/create");
    order.fulfil_at(33, FulfilmentStatus::Success, &[(1, 1)]);
    assert_eq!(world.send(&order, "fulfillments/create"), applied());
    assert_eq!(committed(&world), (1, 0));
}
