use std::collections::BTreeSet;

use domain::order::{
    Holding, Known, LinePart, OrderLine, RefundLine, Restock, Short, Snapshot, SnapshotLine,
    TakenElsewhere,
};
use domain::payment::{LinkedPayment, PaymentEvent, PaymentEventKind, PaymentKnown, PaymentState};
use domain::{LocationId, OrderId, ShopId};

use super::*;

const HOUR: i64 = 3_600_000_000;

/// An order of 3 bowls, as it was shown at the first hour.
fn order() -> Order {
    let rank = domain::order::Rank {
        updated_at: Timestamp(HOUR),
        progress: 3,
        triggered_at: Timestamp(HOUR),
        digest: 1,
    };
    let snapshot = Snapshot {
        rank,
        name: None,
        financial_status: Some("pending".to_owned()),
        fulfillment_status: None,
        cancelled: false,
        voided: false,
        completed_at: None,
        lines: [("1".into(), SnapshotLine::new(3, None, 0, 0))].into(),
        refund_lines: BTreeSet::new(),
    };
    let bowl = Sku::new("BOWL");
    let parts = vec![LinePart { sku: bowl.clone(), units: 1 }];
    Order {
        known: Known { snapshot: Some(snapshot), ..Known::default() },
        lines: [("1".into(), OrderLine { sku: Some(bowl), parts })].into(),
        ..Order::default()
    }
}

/// Two locations, and so many bowls at each.
fn stock(main: i64, back: i64) -> StockView {
    let mut view = StockView::default();
    for (location, on_hand) in [("main", main), ("back", back)] {
        let key = StockKey::new(&Sku::new("BOWL"), &LocationId::new(location));
        view.insert(key, Stock { on_hand, version: Version(1), ..Stock::default() });
    }
    view
}

fn policy() -> Policy {
    let locations = ["main", "back"].map(LocationId::new).to_vec();
    Policy { locations, ..Policy::default() }
}

fn payment(kind: PaymentEventKind) -> (PaymentKey, Payment) {
    let event = PaymentEvent { at: Timestamp(3 * HOUR), kind, money: None };
    let known = PaymentKnown { events: [("ev".into(), event)].into(), ..PaymentKnown::default() };
    let key = PaymentKey { shop: ShopId::new("till"), payment: "pi_1".into() };
    (key, Payment { known, ..Payment::default() })
}

/// What is said of an order, its flags included, holds all of `texts`.
#[track_caller]
fn says(
    order: &Order,
    stock: &StockView,
    payments: &[(PaymentKey, Payment)],
    texts: &[&str],
) -> String {
    let key = OrderKey { shop: ShopId::new("demo"), order: OrderId::new("5001") };
    let policy = policy();
    let explained = Explained { key: &key, order, policy: &policy, stock, payments };
    let all = [vec![why(&explained)], flags(&explained)].concat().join("\n");
    for text in texts {
        assert!(all.contains(text), "{text:?} is missing in:\n{all}");
    }
    all
}

#[test]
fn a_short_order_names_where_most_is_and_the_command_that_helps() {
    let mut order = order();
    order.short = Some(Short { demand: [(Sku::new("BOWL"), 3)].into() });
    says(
        &order,
        &stock(1, 2),
        &[],
        &[
            "3 × BOWL missing, 2 available at back",
            "`onhand stock adjust BOWL +1 --reason delivery --location back`",
            "Nothing is committed.",
        ],
    );
    says(&order, &stock(3, 0), &[], &["By now there is enough: `onhand order retry demo 5001`"]);
    let main = StockKey::new(&Sku::new("BOWL"), &LocationId::new("main"));
    order.holdings.insert(main, Holding { committed: 1, ..Holding::default() });
    says(&order, &stock(0, 0), &[], &["2 × BOWL missing", "Only a part of it is committed."]);
}

fn at(location: &str, on_hand: i64, committed: i64) -> StockView {
    let mut view = StockView::default();
    let key = StockKey::new(&Sku::new("BOWL"), &LocationId::new(location));
    let floor = (on_hand - committed).min(0);
    view.insert(key, Stock { on_hand, committed, floor, version: Version(1) });
    view
}

#[test]
fn a_short_order_names_no_row_that_is_not_there() {
    let mut order = order();
    order.short = Some(Short { demand: [(Sku::new("BOWL"), 3)].into() });
    // `main` would be the first choice, and has no row.
    let texts =
        ["3 × BOWL missing, 0 available at back", "BOWL +3 --reason delivery --location back`"];
    says(&order, &at("back", 0, 0), &[], &texts);
    let texts = ["no stock row at main or back", "`onhand stock set BOWL 3 --location main`"];
    says(&order, &StockView::default(), &[], &texts);
}

#[test]
fn a_short_order_says_that_its_units_lie_where_the_shop_does_not_ship_from() {
    let mut order = order();
    order.short = Some(Short { demand: [(Sku::new("BOWL"), 3)].into() });
    let texts = ["there are 9 at attic, from where this shop does not ship", "`locations`"];
    says(&order, &at("attic", 9, 0), &[], &texts);
    let all = says(&order, &stock(1, 2), &[], &[]);
    assert!(!all.contains("does not ship"), "{all}");
}

#[test]
fn an_order_says_that_it_waits_as_a_backorder() {
    let mut order = order();
    let main = StockKey::new(&Sku::new("BOWL"), &LocationId::new("main"));
    order.holdings.insert(main, Holding { committed: 3, ..Holding::default() });
    let texts = ["3 units are committed", "As a backorder: BOWL at main has 2 units less"];
    says(&order, &at("main", 1, 3), &[], &texts);
    let all = says(&order, &at("main", 3, 3), &[], &["3 units are committed"]);
    assert!(!all.contains("backorder"), "{all}");
}

#[test]
fn money_after_a_cancellation_names_the_payment() {
    let mut order = order();
    let shown = order.known.snapshot.as_mut().expect("it was shown");
    shown.cancelled = true;
    order.known.cancelled_at = Some(Timestamp(2 * HOUR));
    says(&order, &stock(9, 9), &[], &["cancelled it at 1970-01-01T02:00:00"]);
    let linked = LinkedPayment {
        revision: 1,
        state: PaymentState::Captured,
        captured_at: Some(Timestamp(3 * HOUR)),
    };
    order.known.payments.insert("pi_1".into(), linked);
    let payments = [payment(PaymentEventKind::Captured)];
    says(&order, &stock(9, 9), &payments, &["payment till pi_1: captured", "refund it", "revive"]);
}

#[test]
fn disputed_money_after_a_cancellation_is_to_be_waited_for() {
    let mut order = order();
    order.known.snapshot.as_mut().expect("it was shown").cancelled = true;
    order.known.cancelled_at = Some(Timestamp(2 * HOUR));
    let linked =
        |state| LinkedPayment { revision: 1, state, captured_at: Some(Timestamp(3 * HOUR)) };
    order.known.payments.insert("till pi_1".into(), linked(PaymentState::Disputed));
    let disputed = payment(PaymentEventKind::Disputed);
    let texts =
        ["and money came in afterwards", "Wait for the end of the dispute (payment till pi_1"];
    let said = says(&order, &stock(9, 9), std::slice::from_ref(&disputed), &texts);
    assert!(!said.contains("refund"), "the money would go twice: {said}");

    order.known.payments.insert("till pi_2".into(), linked(PaymentState::Captured));
    let mut other = payment(PaymentEventKind::Captured);
    other.0.payment = "pi_2".into();
    let texts = [
        "Wait for the end of the dispute (payment till pi_1: disputed)",
        "The rest: refund it",
        "money for it is there (payment till pi_2: captured): give it back",
    ];
    says(&order, &stock(9, 9), &[disputed, other], &texts);
}

#[test]
fn a_second_cancellation_is_dated_as_what_it_is() {
    let mut order = order();
    order.known.cancelled_at = Some(Timestamp(0));
    let mut again = order.known.clone();
    let shown = again.snapshot.as_mut().expect("it was shown");
    (shown.cancelled, shown.rank.updated_at) = (true, Timestamp(2 * HOUR));
    again.cancelled_at = Some(Timestamp(2 * HOUR));
    order.known.join(again);
    says(&order, &stock(9, 9), &[], &["cancelled it at 1970-01-01T02:00:00"]);
}

#[test]
fn money_for_what_asks_for_nothing_is_told_with_what_to_do() {
    let mut order = order();
    let state = PaymentState::Captured;
    let linked = LinkedPayment { revision: 1, state, captured_at: Some(Timestamp(HOUR)) };
    order.known.payments.insert("till pi_1".into(), linked);
    let payments = [payment(PaymentEventKind::Captured)];
    let texts = [
        "its status (pending) asks for nothing",
        "Money for it is there (payment till pi_1: captured)",
        "give the money back",
    ];
    says(&order, &stock(9, 9), &payments, &texts);
}

#[test]
fn the_bin_and_parts_are_told_as_what_they_are() {
    let mut order = order();
    order.known.trashed_at = Some(Timestamp(4 * HOUR));
    says(&order, &stock(9, 9), &[], &["bin at 1970-01-01T04:00:00", "decided again"]);
    order.known.snapshot = None;
    says(&order, &stock(9, 9), &[], &["Only parts of it came", "that it is in the bin"]);
}

#[test]
fn flags_say_what_to_do() {
    let mut order = order();
    let main = StockKey::new(&Sku::new("BOWL"), &LocationId::new("main"));
    order.holdings.insert(main, Holding { uncovered: 2, ..Holding::default() });
    let state = PaymentState::Disputed;
    let linked = LinkedPayment { revision: 1, state, captured_at: Some(Timestamp(HOUR)) };
    order.known.payments.insert("pi_1".into(), linked);
    let payments = [payment(PaymentEventKind::Disputed)];
    let texts = ["2 × BOWL at main", "onhand stock set", "payment till pi_1: disputed"];
    says(&order, &stock(9, 9), &payments, &texts);
}

#[test]
fn what_may_lie_elsewhere_than_the_rows_say_is_told() {
    let (bowl, main) = (Sku::new("BOWL"), LocationId::new("main"));
    let mut order = order();
    order.taken_elsewhere = vec![TakenElsewhere {
        sku: bowl,
        shipped_from: LocationId::new("back"),
        taken_from: main,
        units: 1,
    }];
    let gone = RefundLine {
        line: "1".into(),
        quantity: 2,
        restock: Restock::NoRestock,
        location: None,
        created_at: Timestamp(2 * HOUR),
    };
    order.known.refund_lines.insert("9".into(), gone);
    let snapshot = order.known.snapshot.as_mut().expect("it was shown");
    snapshot.lines.insert("1".into(), SnapshotLine::new(3, Some(1), 0, 0));
    let texts = [
        "1 × BOWL from back, taken from main",
        "available again here: 2 × BOWL",
        "`onhand stock adjust BOWL -2 --location LOCATION --reason lost`",
    ];
    says(&order, &stock(9, 9), &[], &texts);
}
