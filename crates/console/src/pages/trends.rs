//! The charts' numbers, and the same as a table.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use domain::{Outcome, Timestamp};
use serde::Deserialize;
use store::Rollups;
use store::rollups::{Counts, Rollup, Span};

use super::chart::{Chart, Charts, Line};
use super::{Answer, Asked, Asker, Frame, Trouble, render};
use crate::Console;
use crate::rollup::{CONFLICTS, Times, per_second, quantile};
use crate::view::{Moment, decimal};

/// How old the numbers may be: a sum is complete every ten seconds.
const AGE_MAX: Duration = Duration::from_secs(2);

/// Each chart, and what it is of.
pub(super) const TITLES: [(&str, &str); 4] = [
    ("speed", "Per second"),
    ("ack", "Webhooks acknowledged within, ms"),
    ("lag", "Webhooks applied after, s"),
    ("wrong", "Webhooks that became dead letters or were short, per minute"),
];

/// Which time, as in links: `recent` or `day`.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(super) enum Shown {
    #[default]
    Recent,
    Day,
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    span: Shown,
}

impl Shown {
    pub(super) const ALL: [Self; 2] = [Self::Recent, Self::Day];

    pub(super) fn span(self) -> Span {
        match self {
            Self::Recent => Span::Recent,
            Self::Day => Span::Day,
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Recent => "recent",
            Self::Day => "day",
        }
    }
}

#[derive(Template)]
#[template(path = "trends.html")]
struct TrendsPage {
    frame: Frame,
    is_day: bool,
    columns: Vec<String>,
    rows: Vec<(Moment, Vec<String>)>,
}

/// For scripts.
pub(super) async fn json(State(console): State<Console>, Asked(wanted): Asked<Wanted>) -> Answer {
    let charts = charts(&console, wanted.span).await?;
    Ok(Json(&*charts).into_response())
}

/// For people who do not see charts, and for who wants the numbers.
pub(super) async fn table(
    State(console): State<Console>,
    Extension(session): Asker,
    Asked(wanted): Asked<Wanted>,
) -> Answer {
    let charts = charts(&console, wanted.span).await?;
    Ok(in_words(Frame::new(&console, &session, "overview", "Trends"), wanted.span, &charts))
}

fn in_words(frame: Frame, shown: Shown, charts: &Charts) -> Response {
    let lines =
        charts.charts.iter().flat_map(|chart| chart.lines.iter().map(move |line| (chart, line)));
    let columns = lines.clone().map(|(chart, line)| format!("{}, {}", line.name, chart.unit));
    let value = |at: usize, line: &Line| {
        line.values.get(at).copied().flatten().map_or_else(String::new, decimal)
    };
    let row = |(at, seconds): (usize, &i64)| {
        let values = lines.clone().map(|(_, line)| value(at, line));
        (Moment::new(Timestamp(seconds * 1_000_000)), values.collect())
    };
    let is_known = |(_, values): &(Moment, Vec<String>)| values.iter().any(|it| !it.is_empty());
    render(&TrendsPage {
        frame,
        is_day: shown == Shown::Day,
        columns: columns.collect(),
        // The newest first.
        rows: charts.at.iter().enumerate().rev().map(row).filter(is_known).collect(),
    })
}

/// The same for everybody who asks within two seconds.
pub(super) async fn charts(console: &Console, shown: Shown) -> Result<Arc<Charts>, Trouble> {
    let kept = match shown {
        Shown::Recent => &console.seen.recent,
        Shown::Day => &console.seen.day,
    };
    let read = async |before: Option<Option<Arc<Charts>>>| {
        let span = shown.span();
        let until = span.start(operate::now());
        let sums = console.store.rollups(span, until).await.map_err(Trouble::from).ok()?;
        let charts = drawn(&sums, span, until);
        // The same as before stays the same, so that nobody is told again.
        let same = before.flatten().filter(|before| **before == charts);
        Some(same.unwrap_or_else(|| Arc::new(charts)))
    };
    kept.get(AGE_MAX, read).await.ok_or_else(Trouble::database_away)
}

/// One value for each stretch of time up to `until`, which is not over.
fn drawn(sums: &[Rollup], span: Span, until: Timestamp) -> Charts {
    let step = i64::try_from(span.step().as_micros()).unwrap_or(i64::MAX);
    let length = i64::try_from(span.length().as_micros()).unwrap_or(i64::MAX);
    let at: Vec<i64> = (1..=length / step).rev().map(|back| until.0 - back * step).collect();
    let counts: Vec<Option<&Counts>> = at
        .iter()
        .map(|at| sums.iter().find(|sum| sum.at.0 == *at).map(|sum| &sum.counts))
        .collect();
    let line = |name, value: &dyn Fn(&Counts) -> Option<f64>| Line {
        name,
        values: counts.iter().map(|counts| counts.and_then(value)).collect(),
    };
    let speed = |count: i64| per_second(count, span.step());
    let per_minute = |count: i64| speed(count).map(|it| it * 60.0);
    let ms = |times, q| move |counts: &Counts| quantile(counts, times, q).map(|it| it * 1_000.0);
    let seconds = |times, q| move |counts: &Counts| quantile(counts, times, q);
    let chart = |id, unit, lines| Chart { id, unit, is_stepped: false, lines };
    Charts {
        charts: vec![
            chart(
                "speed",
                "per second",
                vec![
                    line("webhooks", &|counts| speed(decided(counts))),
                    line("applied", &|counts| speed(count(counts, Outcome::Applied.as_str()))),
                    line("conflicts", &|counts| speed(count(counts, CONFLICTS))),
                ],
            ),
            chart(
                "ack",
                "ms",
                vec![line("ack p50", &ms(Times::Ack, 0.5)), line("ack p99", &ms(Times::Ack, 0.99))],
            ),
            chart(
                "lag",
                "s",
                vec![
                    line("lag p50", &seconds(Times::Lag, 0.5)),
                    line("lag p99", &seconds(Times::Lag, 0.99)),
                ],
            ),
            chart(
                "wrong",
                "per minute",
                vec![
                    line("dead", &|counts| per_minute(count(counts, Outcome::Dead.as_str()))),
                    line("short", &|counts| per_minute(count(counts, Outcome::Short.as_str()))),
                ],
            ),
        ],
        at: at.into_iter().map(|at| at / 1_000_000).collect(),
    }
}

/// Webhooks, whatever became of them.
pub(super) fn decided(counts: &Counts) -> i64 {
    Outcome::ALL.iter().map(|outcome| count(counts, outcome.as_str())).sum()
}

fn count(counts: &Counts, name: &str) -> i64 {
    counts.get(name).copied().unwrap_or_default()
}
