//! What processes count is summed up, bounded and forgotten in time.

use std::time::Duration;

use domain::Timestamp;
use futures_util::future::join_all;
use store::Rollups;
use store::rollups::{Counts, Process, Rollup, Span};
use uuid::Uuid;

use crate::harness::{NOW, TestStore};

const MINUTE: Duration = Duration::from_secs(60);

fn process(number: u128, role: &'static str) -> Process {
    Process { id: Uuid::from_u128(number), role }
}

fn counts(counts: &[(&str, i64)]) -> Counts {
    counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

fn later(seconds: i64) -> Timestamp {
    Timestamp(NOW.0 + seconds * 1_000_000)
}

async fn add<T: TestStore>(test: &T, number: u128, at: Timestamp, what: &[(&str, i64)]) {
    let process = process(number, "worker");
    test.store().add_rollup(process, at, &counts(what)).await.expect("adds");
}

async fn list<T: TestStore>(test: &T, span: Span, until: Timestamp) -> Vec<Rollup> {
    test.store().rollups(span, until).await.expect("reads")
}

pub(crate) async fn what_processes_count_is_summed_up<T: TestStore>() {
    let test = T::open().await;
    assert_eq!(list(&test, Span::Recent, later(60)).await, []);
    // NOW is a moment after the start of both stretches.
    add(&test, 1, NOW, &[("applied", 2), ("lag_le_0.5", 1), ("age_max", 7)]).await;
    add(&test, 2, later(1), &[("applied", 3), ("short", 1), ("age_max", 9)]).await;
    add(&test, 1, later(1), &[("age_max", 0)]).await;
    add(&test, 1, later(10), &[("applied", i64::from(u32::MAX))]).await;
    let sums = counts(&[("applied", 5), ("short", 1), ("lag_le_0.5", 1), ("age_max", 9)]);
    let at = Span::Recent.start(NOW);
    let next = Rollup {
        at: Span::Recent.start(later(10)),
        counts: counts(&[("applied", i64::from(u32::MAX))]),
    };
    let recent = list(&test, Span::Recent, later(60)).await;
    assert_eq!(recent, [Rollup { at, counts: sums.clone() }, next]);
    assert_eq!(list(&test, Span::Recent, next_start(at)).await, [Rollup { at, counts: sums }]);
    let day = list(&test, Span::Day, later(3_600)).await;
    assert_eq!(day.len(), 1, "{day:?}");
    assert_eq!(day[0].counts["applied"], 5 + i64::from(u32::MAX));
}

fn next_start(at: Timestamp) -> Timestamp {
    Timestamp(at.0 + 10_000_000)
}

pub(crate) async fn a_span_shows_so_much_and_no_more_is_kept<T: TestStore>() {
    let test = T::open().await;
    let count = async || test.sql("UPDATE rollups SET step = step").await;
    for minute in 0..60 {
        add(&test, 1, later(minute * 60), &[("applied", 1)]).await;
    }
    let now = later(59 * 60);
    let recent = list(&test, Span::Recent, now).await;
    assert_eq!(recent.len(), 15, "one in each minute");
    assert!(recent.iter().all(|rollup| rollup.at.0 >= now.0 - 15 * 60 * 1_000_000));
    assert_eq!(list(&test, Span::Day, later(3_600)).await.len(), 12);
    assert_eq!(count().await, 30 + 12, "twice as long as is shown");
    add(&test, 1, later(49 * 3_600), &[]).await;
    assert_eq!(count().await, 2, "two days later nothing is left but what was just added");
}

pub(crate) async fn processes_are_alive_while_they_say_so<T: TestStore>() {
    let test = T::open().await;
    let alive = async |within| test.store().processes(within).await.expect("reads");
    assert!(alive(MINUTE).await.is_empty());
    for (number, role) in [(1, "worker"), (2, "worker"), (1, "worker"), (3, "console")] {
        let (process, nothing) = (process(number, role), Counts::new());
        test.store().add_rollup(process, NOW, &nothing).await.expect("adds");
    }
    assert_eq!(alive(MINUTE).await, counts(&[("worker", 2), ("console", 1)]));
    test.sql(&format!("UPDATE processes SET seen_at = {}", T::TWO_HOURS_AGO)).await;
    assert!(alive(MINUTE).await.is_empty());
    add(&test, 4, NOW, &[]).await;
    assert_eq!(alive(MINUTE).await, counts(&[("worker", 1)]));
    assert_eq!(test.sql("DELETE FROM processes").await, 1, "those long gone are forgotten");
}

pub(crate) async fn many_processes_add_at_once<T: TestStore>() {
    let test = T::open().await;
    // As if after a pause: there is also something to remove.
    add(&test, 1, later(-90_000), &[("applied", 1)]).await;
    let rounds = (0..5).map(|round| {
        let test = &test;
        let adds = (0..8).map(move |number| add(test, number, later(round), &[("applied", 1)]));
        join_all(adds)
    });
    join_all(rounds).await;
    let day = list(&test, Span::Day, later(3_600)).await;
    assert_eq!(day.iter().map(|rollup| rollup.counts["applied"]).sum::<i64>(), 40);
    assert_eq!(test.deadlocks().await, 0);
}
