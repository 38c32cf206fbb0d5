//! Platforms that tell of shipments and returns by the order alone, and that have a bin.

use domain::order::{Known, OrderFlag, OrderState, Rank, Snapshot, SnapshotLine};
use domain::{LineClass, LineRef, LocationId, OrderFact, OrderId, Outcome, Policy, Sku, Timestamp};

use crate::world::{World, applied, order_key, ten_bowls};

/// The only line of the order, at second `at` of the platform's clock.
fn told(at: i64, line: SnapshotLine) -> OrderFact {
    let shipped = line.shipped > 0;
    let moment = Timestamp::from_seconds(at);
    let snapshot = Snapshot {
        rank: Rank {
            updated_at: moment,
            progress: 0,
            triggered_at: Timestamp(0),
            digest: at.cast_unsigned(),
        },
        name: None,
        financial_status: None,
        fulfillment_status: None,
        cancelled: false,
        cancelled_at: None,
        voided: false,
        completed_at: shipped.then_some(moment),
        lines: [("l".into(), line)].into(),
        refund_lines: [].into(),
    };
    let line = LineRef { sku: Some(Sku::new("BOWL")), variant: None, class: LineClass::Tracked };
    let known = Known { snapshot: Some(snapshot), outside_at: Some(moment), ..Known::default() };
    OrderFact { order: OrderId::new("1"), test: false, lines: [("l".into(), line)].into(), known }
}

fn kept(kept: i64) -> SnapshotLine {
    SnapshotLine { quantity: 3, kept, ..SnapshotLine::default() }
}

fn completed(returned: i64) -> SnapshotLine {
    SnapshotLine { quantity: 3, kept: 3, shipped: 3, returned }
}

fn trashed(at: i64) -> OrderFact {
    let trashed_at = Some(Timestamp::from_seconds(at));
    let known = Known { trashed_at, ..Known::default() };
    OrderFact { order: OrderId::new("1"), test: false, lines: [].into(), known }
}

fn state(world: &World) -> OrderState {
    world.store.orders()[&order_key("1")].state
}

#[test]
fn held_completed_and_given_back() {
    let mut world = ten_bowls();
    assert_eq!(world.decide(told(10, kept(3))), applied());
    assert_eq!((world.stock("BOWL"), state(&world)), ((10, 3), OrderState::Committed));
    assert_eq!(world.decide(told(20, completed(0))), applied());
    assert_eq!((world.stock("BOWL"), state(&world)), ((7, 0), OrderState::Shipped));
    assert_eq!(world.decide(told(30, completed(2))), applied());
    assert_eq!(world.stock("BOWL"), (9, 0));
    assert_eq!(world.decide(told(15, kept(3))).outcome, Outcome::Superseded);
    assert_eq!(world.stock("BOWL"), (9, 0));
    // Set back to processing by hand: the units are owed again, and there.
    assert_eq!(world.decide(told(40, kept(3))), applied());
    assert_eq!(world.stock("BOWL"), (10, 3));
}

#[test]
fn the_bin_releases_and_gives_back_in_any_order() {
    let mut world = ten_bowls();
    world.decide(told(10, kept(3)));
    assert_eq!(world.decide(trashed(20)), applied());
    assert_eq!((world.stock("BOWL"), state(&world)), ((10, 0), OrderState::Trashed));
    assert_eq!(world.decide(trashed(20)).outcome, Outcome::Unchanged);
    assert_eq!(world.decide(told(30, kept(3))), applied());
    assert_eq!((world.stock("BOWL"), state(&world)), ((10, 3), OrderState::Committed));
    assert_eq!(world.decide(trashed(25)).outcome, Outcome::Unchanged, "it was out again since");
    assert_eq!(world.decide(trashed(40)), applied());
    assert_eq!(world.stock("BOWL"), (10, 0));
}

#[test]
fn what_left_stays_away_when_the_order_is_thrown_away() {
    let mut world = ten_bowls();
    world.decide(told(10, completed(0)));
    assert_eq!(world.stock("BOWL"), (7, 0));
    assert_eq!(world.decide(trashed(20)), applied());
    assert_eq!(world.stock("BOWL"), (7, 0));
}

#[test]
fn a_bin_before_its_order_waits_for_it() {
    let mut world = ten_bowls();
    assert_eq!(world.decide(trashed(20)), applied());
    assert_eq!(world.decide(told(10, kept(3))), applied());
    assert_eq!((world.stock("BOWL"), state(&world)), ((10, 0), OrderState::Trashed));
}

#[test]
fn units_leave_from_where_they_were_committed() {
    let locations = vec![LocationId::new("main"), LocationId::new("annex")];
    let policy = Policy { locations, ..Policy::default() };
    let mut world = World::new(policy).with("BOWL", 2).with_row("BOWL", "annex", 8, 0);
    world.decide(told(10, kept(3)));
    assert_eq!((world.stock("BOWL"), world.stock_at("BOWL", "annex")), ((2, 0), (8, 3)));
    world.decide(told(20, completed(0)));
    assert_eq!((world.stock("BOWL"), world.stock_at("BOWL", "annex")), ((2, 0), (5, 0)));
    world.decide(told(30, completed(1)));
    assert_eq!((world.stock("BOWL"), world.stock_at("BOWL", "annex")), ((2, 0), (6, 0)));
    world.decide(told(40, kept(0)));
    assert_eq!((world.stock("BOWL"), world.stock_at("BOWL", "annex")), ((2, 0), (8, 0)));
}

#[test]
fn what_left_before_the_cut_over_never_counts() {
    let live_from = Some(Timestamp::from_seconds(15));
    let policy = Policy { live_from, ..Policy::default() };
    let mut world = World::new(policy.clone()).with("BOWL", 10);
    world.decide(told(10, completed(0)));
    assert_eq!(world.stock("BOWL"), (10, 0));
    let mut later = told(20, completed(1));
    let snapshot = later.known.snapshot.as_mut().expect("it has one");
    snapshot.completed_at = Some(Timestamp::from_seconds(10));
    world.decide(later);
    assert_eq!(world.stock("BOWL"), (10, 0));
    let order = &world.store.orders()[&order_key("1")].order;
    assert_eq!(order.flags(&policy), [OrderFlag::CrossesCutOver]);
}

#[test]
fn a_short_order_that_is_completed_anyway_is_uncovered() {
    let mut world = World::new(Policy::default()).with("BOWL", 2);
    assert_eq!(world.decide(told(10, kept(3))).outcome, Outcome::Short);
    assert_eq!(world.decide(told(20, completed(0))), applied());
    assert_eq!(world.stock("BOWL"), (0, 0));
    let order = &world.store.orders()[&order_key("1")].order;
    assert_eq!(order.flags(&Policy::default()), [OrderFlag::Uncovered]);
    assert!(order.audit(&Policy::default()).is_empty());
}
