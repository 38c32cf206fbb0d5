use std::sync::Arc;

use domain::Outcome;
use store::Pause;
use store::reports::Totals;
use store::rollups::{HELD, Rollup};

use super::super::{Checks, Matter, Verdict, look};
use super::*;

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const BEGAN: i64 = 10_000 * MINUTE;

/// How things are at one look.
#[derive(Clone, Default)]
struct Scene {
    ready: u64,
    unacked: Option<u64>,
    oldest: Option<i64>,
    /// So many webhooks, and how long ago they were noted.
    held: Option<(i64, i64)>,
    decided: i64,
    workers: i64,
    paused: Vec<Option<&'static str>>,
    is_away: bool,
}

/// Looks at each of (when, what is there then), and returns the last verdict.
fn seen(looks: &[(i64, Scene)]) -> Verdict {
    let mut work = None;
    let mut verdict = None;
    for (after, scene) in looks {
        let now = Timestamp(BEGAN + after);
        let queue = QueueStats {
            ready: scene.ready,
            unacked: scene.unacked,
            oldest: scene.oldest.map(|ago| Timestamp(now.0 - ago)),
            ..QueueStats::default()
        };
        let pause = |shop: &Option<&str>| Pause {
            shop: shop.map(Into::into),
            since: now,
            by: String::new(),
            reason: String::new(),
        };
        let held = |(webhooks, ago): &(i64, i64)| Rollup {
            at: Timestamp(now.0 - ago),
            counts: [(HELD.to_owned(), *webhooks)].into(),
        };
        let webhooks = [(Outcome::Applied, scene.decided)].into();
        let stored = Stored {
            totals: Totals { webhooks, ..Totals::default() },
            workers: scene.workers,
            recent: scene.held.iter().map(held).collect(),
            paused: scene.paused.iter().map(pause).collect(),
            ..Stored::default()
        };
        let queue = if scene.is_away { Err("away".to_owned()) } else { Ok(queue) };
        work = Work::look(work, queue.as_ref().ok(), Some(&stored), now);
        let shops = Some(Arc::default());
        let facts = Facts { queue, stored: Ok(stored), work, checks: Checks::default(), shops };
        verdict = Some(look(&facts, now));
    }
    verdict.expect("a look")
}

fn said(looks: &[(i64, Scene)], matter: Matter) -> Option<String> {
    seen(looks).todo.into_iter().find(|todo| todo.matter == matter).map(|todo| todo.text)
}

/// Whether a standstill is said; `None`: it is not known whether there is one, which ends none either.
fn stands_still(looks: &[(i64, Scene)]) -> Option<bool> {
    let verdict = seen(looks);
    let is_known = !verdict.unknown.contains(&Matter::Standstill);
    is_known.then(|| verdict.todo.iter().any(|todo| todo.matter == Matter::Standstill))
}

fn waits(workers: i64) -> Scene {
    Scene { ready: 3, workers, ..Scene::default() }
}

#[test]
fn what_waits_for_no_worker_is_said_at_once() {
    let text = said(&[(0, waits(0))], Matter::Standstill).expect("nobody works");
    assert!(text.starts_with("3 parcels wait in the queue and nobody applies"), "{text}");
    assert!(text.contains("sign of life for 30 s") && text.contains("`onhand worker`"), "{text}");
    let one = Scene { ready: 1, ..waits(0) };
    let text = said(&[(0, one)], Matter::Standstill).expect("nobody works");
    assert!(text.starts_with("1 parcel waits in the queue and"), "{text}");
    let in_hand = Scene { ready: 0, unacked: Some(2), ..waits(0) };
    assert_eq!(stands_still(&[(0, in_hand)]), Some(true), "of whoever died");
}

#[test]
fn what_waits_for_minutes_while_nothing_is_decided_is_said() {
    let looks = [(0, waits(2)), (3 * MINUTE, waits(2)), (5 * MINUTE, waits(2))];
    assert_eq!(stands_still(&looks[..1]), None, "it may have waited before");
    assert_eq!(stands_still(&looks[..2]), None);
    let text = said(&looks, Matter::Standstill).expect("nothing moves");
    assert!(text.contains("nothing is applied, though 2 workers are alive: "), "{text}");
    assert!(text.contains("decided 5 min ago or earlier") && text.contains("restart"), "{text}");
}

#[test]
fn what_workers_hold_and_do_not_get_done_is_said_where_the_queue_does_not_tell() {
    let looks = |unacked, ago| {
        let held = Some((7, ago * SECOND));
        let scene = Scene { ready: 0, unacked, held, ..waits(1) };
        [(0, scene.clone()), (5 * MINUTE, scene)]
    };
    let text = said(&looks(None, 20), Matter::Standstill).expect("nothing moves");
    assert!(text.starts_with("7 webhooks are in the workers' hands and nothing is"), "{text}");
    assert_eq!(stands_still(&looks(None, 40)), Some(false), "that is over");
    assert_eq!(stands_still(&looks(Some(0), 20)), Some(false), "the queue knows better");
}

#[test]
fn whoever_works_or_has_just_come_is_left_in_peace() {
    let quiet = Scene { ready: 0, ..waits(2) };
    let moved = Scene { decided: 1, ..waits(2) };
    let nobody = Scene { ready: 0, ..waits(0) };
    for (what, looks, said) in [
        ("nothing waits for nobody", vec![(0, nobody)], Some(false)),
        ("the first in a quiet night", vec![(0, quiet.clone()), (500 * MINUTE, waits(2))], None),
        (
            "nothing waited meanwhile",
            vec![(0, waits(2)), (MINUTE, quiet), (6 * MINUTE, waits(2))],
            None,
        ),
        ("one was decided", vec![(0, waits(2)), (9 * MINUTE, moved.clone())], Some(false)),
        (
            "one was decided a little ago",
            vec![(0, waits(2)), (4 * MINUTE, moved.clone()), (6 * MINUTE, moved)],
            None,
        ),
        ("a worker has just come", vec![(0, waits(0)), (9 * MINUTE, waits(1))], None),
        (
            "the workers' signs of life are late, and they work",
            vec![(0, waits(0)), (SECOND, Scene { decided: 9, ..waits(0) })],
            Some(false),
        ),
    ] {
        assert_eq!(stands_still(&looks), said, "{what}");
    }
    let after_all = [(0, waits(0)), (9 * MINUTE, waits(1)), (14 * MINUTE, waits(1))];
    assert_eq!(stands_still(&after_all), Some(true), "it had its time");
}

#[test]
fn what_is_meant_to_wait_or_cannot_be_seen_is_not_known() {
    let paused = |shop, workers| Scene { paused: vec![shop], ..waits(workers) };
    let away = Scene { is_away: true, ..waits(2) };
    for (what, looks) in [
        ("all is paused", vec![(0, paused(None, 0)), (9 * MINUTE, paused(None, 0))]),
        ("a shop's may wait", vec![(0, waits(2)), (9 * MINUTE, paused(Some("demo"), 2))]),
        ("the queue is away", vec![(0, waits(2)), (9 * MINUTE, away.clone())]),
    ] {
        assert_eq!(stands_still(&looks), None, "{what}");
    }
    assert_eq!(stands_still(&[(0, paused(Some("demo"), 0))]), Some(true), "nobody works");
    let back = [(0, waits(2)), (4 * MINUTE, away), (6 * MINUTE, waits(2))];
    assert_eq!(stands_still(&back), None, "nobody saw it wait all the time");
}

#[test]
fn a_standstill_is_no_backlog_and_a_backlog_may_be_short_but_old() {
    let many = Scene { ready: BACKLOG + 1, ..waits(0) };
    let verdict = seen(&[(0, many)]);
    assert_eq!(verdict.todo.len(), 1, "{verdict:?}");
    assert!(
        verdict.unknown.contains(&Matter::Backlog) && verdict.unknown.contains(&Matter::Silent)
    );

    let old = Scene { oldest: Some(5 * MINUTE), ..waits(1) };
    let text = said(&[(0, old.clone())], Matter::Backlog).expect("it is late");
    assert!(text.contains("3 parcels wait") && text.contains("webhook came 5 min ago"), "{text}");
    let young = Scene { oldest: Some(4 * MINUTE), ..waits(1) };
    assert_eq!(said(&[(0, young)], Matter::Backlog), None);
    let paused = Scene { paused: vec![Some("demo")], ..old };
    assert_eq!(
        said(&[(0, paused.clone())], Matter::Backlog),
        None,
        "a paused shop's came long ago"
    );
    let many = Scene { ready: BACKLOG + 1, ..paused };
    let looks = [(0, many.clone()), (9 * MINUTE, many)];
    assert!(said(&looks, Matter::Backlog).is_some(), "whoever's they are");
}
