//! A payment's state follows from the set of its events, whatever order they come in.

use std::collections::BTreeMap;

use domain::payment::{
    Money, PaymentEvent, PaymentEventKind as Kind, PaymentKnown, PaymentState as State,
};
use domain::{OrderId, Payment, PaymentEventId, Timestamp};
use testkit::permutations;

/// An event: its id, its moment, what happened, and how much.
type Told = (&'static str, i64, Kind, Option<i64>);

fn known(&(id, seconds, kind, minor): &Told) -> PaymentKnown {
    let money = minor.map(|minor| Money { minor, currency: "EUR".into() });
    let event = PaymentEvent { at: Timestamp::from_seconds(seconds), kind, money };
    PaymentKnown {
        references: [OrderId::new("5001")].into(),
        events: BTreeMap::from([(PaymentEventId::new(id), event)]),
    }
}

fn joined<'a>(events: impl IntoIterator<Item = &'a Told>) -> PaymentKnown {
    let mut all = PaymentKnown::default();
    for event in events {
        all.join(known(event));
    }
    all
}

fn captured_at(known: &PaymentKnown) -> Option<Timestamp> {
    let payment = Payment { known: known.clone(), ..Payment::default() };
    payment.linked().captured_at
}

/// The states after each event in the order of their moments; every order of arrival must agree,
/// also with any of the events told twice.
#[track_caller]
fn check(events: &[Told], expected: &[State]) {
    let in_order = joined(events);
    let states: Vec<State> = in_order.transitions().iter().map(|step| step.state).collect();
    assert_eq!(states, expected);
    for order in permutations(events) {
        for twice in 0..=events.len() {
            let mut order = order.clone();
            if let Some(again) = events.get(twice) {
                order.insert(twice / 2, *again);
                order.push(*again);
            }
            let arrived = joined(&order);
            assert_eq!(arrived, in_order, "{order:?}");
            assert_eq!(arrived.transitions(), in_order.transitions(), "{order:?}");
            assert_eq!(arrived.state(), in_order.state(), "{order:?}");
            assert_eq!(captured_at(&arrived), captured_at(&in_order), "{order:?}");
        }
    }
}

#[test]
fn a_failure_says_nothing_once_money_came_in() {
    check(
        &[
            ("a", 1, Kind::Pending, None),
            ("b", 2, Kind::Failed, None),
            ("c", 3, Kind::Captured, Some(100)),
            ("d", 4, Kind::Failed, None),
        ],
        &[State::Pending, State::Failed, State::Captured, State::Captured],
    );
}

#[test]
fn an_authorisation_from_after_the_capture_changes_nothing() {
    check(
        &[("a", 1, Kind::Captured, Some(100)), ("b", 2, Kind::Authorised, Some(100))],
        &[State::Captured, State::Captured],
    );
    // Of one moment, the capture counts as the later.
    check(
        &[("b", 1, Kind::Authorised, Some(100)), ("a", 1, Kind::Captured, Some(100))],
        &[State::Authorised, State::Captured],
    );
}

#[test]
fn one_capture_told_twice_counts_once() {
    check(
        &[
            ("intent", 1, Kind::CapturedInAll, Some(100)),
            ("charge", 1, Kind::CapturedInAll, Some(100)),
            ("refund", 2, Kind::RefundedInAll, Some(100)),
        ],
        &[State::Captured, State::Captured, State::Refunded],
    );
    let twice = joined(&[("a", 1, Kind::CapturedInAll, Some(100))]);
    assert!(twice.was_captured());
    assert_eq!(captured_at(&twice), Some(Timestamp::from_seconds(1)));
}

#[test]
fn captures_of_parts_add_up() {
    check(
        &[
            ("a", 1, Kind::Captured, Some(60)),
            ("b", 2, Kind::Captured, Some(40)),
            ("c", 3, Kind::Refunded, Some(60)),
            ("d", 4, Kind::Refunded, Some(40)),
        ],
        &[State::Captured, State::Captured, State::PartiallyRefunded, State::Refunded],
    );
}

#[test]
fn a_refund_dated_before_its_capture_still_counts() {
    check(
        &[("r", 1, Kind::Refunded, Some(40)), ("c", 2, Kind::Captured, Some(100))],
        &[State::Refunded, State::PartiallyRefunded],
    );
}

#[test]
fn a_capture_can_fail_after_all() {
    check(
        &[
            ("a", 1, Kind::Authorised, Some(100)),
            ("c", 2, Kind::Captured, Some(100)),
            ("f", 3, Kind::CaptureFailed, Some(100)),
            ("d", 4, Kind::Captured, Some(100)),
        ],
        &[State::Authorised, State::Captured, State::CaptureFailed, State::Captured],
    );
    // One that never came about takes nothing from the one that did.
    check(
        &[("c", 1, Kind::Captured, Some(60)), ("f", 2, Kind::CaptureFailed, Some(0))],
        &[State::Captured, State::Captured],
    );
}

#[test]
fn a_refund_can_fail_after_all() {
    check(
        &[
            ("c", 1, Kind::CapturedInAll, Some(100)),
            ("r", 2, Kind::RefundedInAll, Some(40)),
            ("s", 3, Kind::RefundedInAll, Some(70)),
            ("f", 4, Kind::RefundFailed, Some(30)),
            ("g", 5, Kind::RefundFailed, Some(40)),
        ],
        &[
            State::Captured,
            State::PartiallyRefunded,
            State::PartiallyRefunded,
            State::PartiallyRefunded,
            State::Captured,
        ],
    );
}

#[test]
fn a_refused_refund_brings_no_money_back() {
    check(
        &[("a", 1, Kind::Authorised, Some(100)), ("f", 2, Kind::RefundFailed, Some(0))],
        &[State::Authorised, State::Authorised],
    );
    check(
        &[
            ("c", 1, Kind::Captured, Some(100)),
            ("l", 2, Kind::DisputeLost, Some(100)),
            ("f", 3, Kind::RefundFailed, Some(0)),
        ],
        &[State::Captured, State::ChargedBack, State::ChargedBack],
    );
}

#[test]
fn without_a_capture_a_refund_is_measured_by_the_authorisation() {
    check(
        &[
            ("a", 1, Kind::Authorised, Some(100)),
            ("r", 2, Kind::Refunded, Some(40)),
            ("s", 3, Kind::Refunded, Some(60)),
        ],
        &[State::Authorised, State::PartiallyRefunded, State::Refunded],
    );
}

#[test]
fn disputes_end_either_way() {
    check(
        &[
            ("c", 1, Kind::Captured, Some(100)),
            ("d", 2, Kind::Disputed, Some(100)),
            ("w", 3, Kind::DisputeWon, Some(100)),
            ("l", 4, Kind::DisputeLost, Some(100)),
        ],
        &[State::Captured, State::Disputed, State::Captured, State::ChargedBack],
    );
    check(
        &[
            ("c", 1, Kind::Captured, Some(100)),
            ("r", 2, Kind::Refunded, Some(40)),
            ("d", 3, Kind::Disputed, Some(60)),
            ("w", 4, Kind::DisputeWon, Some(60)),
        ],
        &[State::Captured, State::PartiallyRefunded, State::Disputed, State::PartiallyRefunded],
    );
}

#[test]
fn one_event_told_in_two_ways_is_one_event() {
    let early = ("re:failed", 5, Kind::RefundFailed, Some(30));
    let late = ("re:failed", 6, Kind::RefundFailed, Some(30));
    let capture = ("c", 1, Kind::CapturedInAll, Some(100));
    let refund = ("r", 2, Kind::RefundedInAll, Some(70));
    let expected = joined(&[capture, refund, late]);
    for order in permutations(&[capture, refund, early, late]) {
        assert_eq!(joined(&order), expected);
    }
    assert_eq!(expected.state(), State::PartiallyRefunded);
}

#[test]
fn no_sum_overflows() {
    for kind in [Kind::Captured, Kind::Refunded, Kind::CaptureFailed, Kind::RefundFailed] {
        let events =
            [("a", 1, kind, Some(i64::MAX)), ("b", 2, kind, Some(i64::MAX)), ("c", 3, kind, None)];
        assert_eq!(joined(&events).transitions().len(), 3);
    }
}
