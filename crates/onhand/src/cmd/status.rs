//! `onhand status`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use domain::Outcome;
use operate::output::or_more;
use operate::pause::sentence;
use queue::QueueStats;
use serde::Serialize;
use store::pages::{LETTERS_MAX, Letters};
use store::{Pages, Pauses, Reports};

use super::pause::PauseJson;
use crate::config::Settings;
use crate::output;

#[derive(Serialize)]
struct Status {
    webhooks: BTreeMap<Outcome, i64>,
    queue: QueueJson,
    dead_letters: i64,
    /// First heard of more than a day ago, and their orders have not come.
    payments_unlinked: i64,
    /// That wait for an answer; counted up to [`LETTERS_MAX`].
    privacy_requests: i64,
    outbox: Outbox,
    paused: Vec<PauseJson>,
}

/// What waits in the queue, in parcels.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct QueueJson {
    pub(crate) ready: u64,
    /// `null`: the queue does not tell.
    pub(crate) unacked: Option<u64>,
    pub(crate) delayed: u64,
}

impl From<&QueueStats> for QueueJson {
    fn from(stats: &QueueStats) -> Self {
        Self { ready: stats.ready, unacked: stats.unacked, delayed: stats.delayed }
    }
}

#[derive(Serialize)]
struct Outbox {
    /// Counted up to [`LETTERS_MAX`].
    pending: i64,
}

pub(crate) async fn run(settings: &Settings) -> anyhow::Result<ExitCode> {
    let queue = settings.broker("status")?.stats().await?;
    let store = settings.open_store().await?;
    let totals = store.totals().await?;
    let pauses = store.pauses().await?;
    let status = Status {
        webhooks: totals.webhooks,
        queue: QueueJson::from(&queue),
        // All of them, though it takes longer: programs reckon with it.
        dead_letters: store.count_open_letters(&Letters::default(), None, i64::MAX).await?,
        payments_unlinked: worker::unlinked_payments(&store, operate::now()).await?,
        privacy_requests: totals.privacy_requests,
        outbox: Outbox { pending: totals.outbox_pending },
        paused: pauses.iter().map(PauseJson::new).collect(),
    };
    if settings.json {
        output::json(&status)?;
        return Ok(ExitCode::SUCCESS);
    }
    for pause in &pauses {
        outln!("{}", sentence(pause));
    }
    output::table(
        &["webhooks", ">count"],
        status.webhooks.iter().map(|(outcome, count)| vec![outcome.to_string(), count.to_string()]),
    );
    output::table(
        &["waiting", ">count"],
        [
            vec!["queue, ready (parcels)".to_owned(), status.queue.ready.to_string()],
            vec!["queue, being worked on".to_owned(), output::or_dash(status.queue.unacked)],
            vec!["queue, delayed for a retry".to_owned(), status.queue.delayed.to_string()],
            vec!["dead letters".to_owned(), status.dead_letters.to_string()],
            vec![
                "payments without an order for a day".to_owned(),
                status.payments_unlinked.to_string(),
            ],
            vec!["customers' requests".to_owned(), or_more(status.privacy_requests, LETTERS_MAX)],
            vec!["outbox".to_owned(), or_more(status.outbox.pending, LETTERS_MAX)],
        ],
    );
    Ok(ExitCode::SUCCESS)
}
