use store::reports::Violation;

use super::work::BACKLOG;
use super::*;
use crate::below_zero::BelowZero;
use crate::verify::Failing;

const DAY: i64 = 86_400_000_000;
const NOW: Timestamp = Timestamp(10 * DAY);

/// What only a verification tells.
const VERIFIED: [Matter; 4] =
    [Matter::Unverified, Matter::Violations, Matter::Drift, Matter::BelowZero];

fn stats(ready: u64) -> Result<QueueStats, String> {
    Ok(QueueStats { ready, ..QueueStats::default() })
}

/// A worker is there, and it is the first look.
fn facts(queue: Result<QueueStats, String>, stored: Stored) -> Facts {
    let stored = Stored { workers: 1, ..stored };
    let work = Work::look(None, queue.as_ref().ok(), Some(&stored), NOW);
    Facts {
        queue,
        stored: Ok(stored),
        work,
        checks: Checks::default(),
        shops: Some(Arc::default()),
    }
}

fn at(facts: &Facts) -> Verdict {
    look(facts, NOW)
}

fn said(facts: &Facts) -> Vec<String> {
    at(facts).todo.into_iter().map(|todo| todo.text).collect()
}

#[test]
fn without_anything_to_do_all_is_well() {
    let mut facts = facts(stats(0), Stored::default());
    let verified = Verified {
        at: Timestamp(0),
        violations: Vec::new(),
        over: Some([("demo".into(), 0)].into()),
        below_zero: Some(BelowZero::default()),
    };
    for (verified, unknown) in [(None, &VERIFIED[..]), (Some(verified), &[])] {
        facts.checks.last = verified;
        let verdict = at(&facts);
        assert!(verdict.sentence.starts_with("All is well"), "{verdict:?}");
        assert_eq!((verdict.todo, &verdict.unknown[..]), (vec![], unknown));
    }
}

#[test]
fn each_thing_to_do_is_said_with_what_helps() {
    let reason = |reason: &str, count, oldest| ReasonRow {
        reason: reason.to_owned(),
        count,
        oldest: Timestamp(oldest),
    };
    let stored = Stored {
        dead: vec![reason("unknown_sku", 1_200, 9 * DAY), reason("malformed", 1, 7 * DAY)],
        unlinked_payments: 2,
        privacy: Requests { open: LETTERS_MAX, due: Some(Timestamp(9 * DAY)) },
        ..Stored::default()
    };
    let said = said(&facts(stats(BACKLOG + 1), stored));
    assert_eq!(said.len(), 4);
    assert!(said[0].contains("1,001 parcels wait") && said[0].contains("start another"));
    assert!(said[1].contains("1,201 webhooks") && said[1].contains("unknown_sku"));
    assert!(said[1].contains("3 days ago") && said[1].contains("replay"));
    assert!(said[2].starts_with("10,000 or more requests") && said[2].contains("overdue"));
    assert!(said[3].contains("--unlinked"));
}

#[test]
fn what_cannot_be_verified_for_an_hour_is_said_and_over_once_it_was() {
    let failing = |since| Some(Failing { since: Timestamp(since), error: "no room".to_owned() });
    let mut facts = facts(stats(0), Stored::default());
    let mut is = |last, failing| {
        facts.checks = Checks { last, failing };
        let verdict = at(&facts);
        let unknown = verdict.unknown.contains(&Matter::Unverified);
        (unknown, verdict.todo.into_iter().map(|todo| todo.text).collect::<Vec<_>>())
    };
    let verified = || Verified { at: NOW, violations: vec![], over: None, below_zero: None };
    let hour = DAY / 24;
    assert_eq!(is(None, None), (true, vec![]), "nobody verifies, or not yet");
    assert_eq!(is(Some(verified()), None), (false, vec![]));
    assert_eq!(is(Some(verified()), failing(NOW.0 - hour + 1)), (true, vec![]), "not for long");
    for last in [None, Some(verified())] {
        let (_, said) = is(last, failing(NOW.0 - hour));
        assert!(said[0].contains("60 min ago") && said[0].contains("no room"), "{said:?}");
    }
}

#[test]
fn a_removal_needs_somebody_only_if_workers_do_not_carry_it_out() {
    let request = |kind: PrivacyKind, received_at, due_at| PrivacyRow {
        id: String::new(),
        shop: ShopId::new("demo"),
        kind: kind.as_str().to_owned(),
        customer: None,
        orders: String::new(),
        received_at: Timestamp(received_at),
        due_at: Timestamp(due_at),
        closed_at: None,
        closed_note: None,
    };
    let removal = request(PrivacyKind::RedactCustomer, 10 * DAY, 20 * DAY);
    let answer = request(PrivacyKind::DataRequest, 10 * DAY, 30 * DAY);
    let at = |open: &[PrivacyRow], now| super::requests(open, Timestamp(now));
    assert_eq!(at(std::slice::from_ref(&removal), 10 * DAY + 1), Requests::default());
    let both = [removal, answer];
    let one = Requests { open: 1, due: Some(Timestamp(30 * DAY)) };
    assert_eq!(at(&both, 10 * DAY + 1), one);
    assert_eq!(at(&both, 11 * DAY), Requests { open: 2, due: Some(Timestamp(20 * DAY)) });
}

#[test]
fn violations_are_said_with_the_promises_that_they_break() {
    let violation = |promise: &str, detail: &str| Violation {
        promise: promise.to_owned(),
        detail: detail.to_owned(),
    };
    let violations =
        vec![violation("P7", "CAP at main"), violation("P3", "x"), violation("P7", "")];
    let at = Timestamp(9 * DAY);
    let checks = Verified { at, violations, over: None, below_zero: None }.into();
    let facts = Facts { checks, ..facts(stats(0), Stored::default()) };
    let said = said(&facts).join("\n");
    assert!(said.contains("24 hours ago: 3 violations of P3, P7, as in: CAP at main."), "{said}");
    assert!(said.contains("`onhand verify`") && said.contains("OnhandVerifyViolations"), "{said}");
}

#[test]
fn a_pause_is_said_and_what_waits_for_it_is_not() {
    let pause = |shop: Option<&str>| Pause {
        shop: shop.map(Into::into),
        since: Timestamp(9 * DAY),
        by: "kim".to_owned(),
        reason: "counting".to_owned(),
    };
    let mut stored = Stored { paused: vec![pause(Some("demo"))], ..Stored::default() };
    let verdict = at(&facts(stats(BACKLOG + 1), stored.clone()));
    assert_eq!([verdict.todo[0].matter, verdict.todo[1].matter], [Matter::Paused, Matter::Backlog]);
    assert!(verdict.todo[0].text.contains("demo is paused since"), "{verdict:?}");

    stored.paused.insert(0, pause(None));
    let verdict = at(&facts(stats(BACKLOG + 1), stored));
    let text = &verdict.todo[0].text;
    assert!(text.starts_with("Paused since 1970-01-10 00:00 UTC by kim (counting): "), "{text}");
    assert!(text.contains("webhooks are taken and wait. demo is paused"), "{text}");
    let waits = [Matter::Backlog, Matter::Standstill, Matter::Silent];
    assert_eq!((verdict.todo.len(), verdict.unknown), (1, [&waits[..], &VERIFIED].concat()));
}

#[test]
fn a_silent_shop_is_said_unless_something_here_is_in_the_way() {
    let shop = |name: &str, missed: Option<i64>| shop::Health {
        shop: name.into(),
        last: None,
        last_hour: 0,
        last_day: 0,
        silence: missed.map(|missed| Silence { since: Timestamp(9 * DAY), missed }),
        signers: Vec::new(),
    };
    let pause = |shop: Option<&str>| Pause {
        shop: shop.map(Into::into),
        since: Timestamp(0),
        by: String::new(),
        reason: String::new(),
    };
    let shops = vec![shop("a", Some(40)), shop("b", None), shop("c", Some(1_000))];
    let shops = Some(Arc::new(shops));
    let looked = |queue, paused| {
        let stored = Stored { paused, ..Stored::default() };
        let Verdict { todo, unknown, .. } =
            at(&Facts { shops: shops.clone(), ..facts(queue, stored) });
        let silent = todo.into_iter().find(|todo| todo.matter == Matter::Silent);
        (silent.map(|todo| todo.text), unknown.contains(&Matter::Silent))
    };

    let (text, _) = looked(stats(3), vec![]);
    let text = text.expect("c is silent");
    assert!(text.contains("shop c came 24 hours ago") && text.contains("some 1,000"), "{text}");
    assert!(text.contains("1 more shop is"), "{text}");
    let (text, _) = looked(stats(3), vec![pause(Some("c"))]);
    assert!(text.is_some_and(|text| text.contains("shop a came")));
    assert_eq!(looked(stats(3), vec![pause(None)]), (None, true));
    assert_eq!(looked(stats(BACKLOG + 1), vec![]), (None, true));
    assert_eq!(looked(Err("refused".to_owned()), vec![]), (None, true));
}

#[test]
fn what_does_not_answer_is_said_and_what_it_would_tell_is_not_known() {
    let dead = Facts {
        queue: Err("refused".to_owned()),
        stored: Err("timed out".to_owned()),
        work: None,
        checks: Checks::default(),
        shops: None,
    };
    let Verdict { todo, unknown, .. } = at(&dead);
    assert_eq!([todo[0].matter, todo[1].matter], [Matter::Database, Matter::Queue]);
    assert!(todo[0].text.contains("cannot be asked (timed out)"));
    assert!(todo[1].text.contains("cannot be asked (refused)"));
    let store_knows =
        [Matter::Paused, Matter::Dead, Matter::Privacy, Matter::Short, Matter::Payments];
    let both_know = [Matter::Backlog, Matter::Standstill, Matter::Silent];
    assert_eq!(unknown, [&store_knows[..], &both_know, &VERIFIED].concat());
}
