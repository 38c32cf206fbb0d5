//! `onhand privacy`: what customers asked of whoever holds their data.

use std::process::ExitCode;

use clap::Subcommand;
use domain::{EnvelopeId, ShopId, Timestamp};
use serde::Serialize;
use store::Channels;
use store::channels::PrivacyRow;

use crate::config::Settings;
use crate::exit::{NOT_FINE, bad_config};
use crate::output;

/// What an operator needs to answer a request.
const HELD: &str = "What Onhand holds of a customer: the ids of their orders with quantities per \
    item, and the payments for them (ids, amounts, moments); never a name or an address. The raw \
    bodies and details of dead letters may hold more, and so do the bodies of all webhooks where a \
    shop has keep_bodies.\n\n\
    To answer a data_request, look at each order that it names (`onhand order show SHOP ORDER`) \
    and at the shop's dead letters (`onhand dead list --all`, `onhand dead show ID`), and where it \
    has keep_bodies at the orders' webhooks (`onhand webhook list --order ID`, `onhand webhook show \
    ID --body`, which covers personal data: the shop itself has it), tell the customer, then close \
    it with `onhand privacy done ID`.\n\n\
    redact_customer and redact_shop need nobody: workers carry them out at once, and again when the \
    retry ladder's six hours have passed, for what was still queued then. Until then they are listed \
    here, with what was done so far.\n\n\
    Example: onhand privacy list --all";

#[derive(Debug, Subcommand)]
pub(crate) enum PrivacyCommand {
    /// List the requests that wait for an answer or for a removal, the most urgent first
    #[command(after_help = HELD)]
    List {
        /// Also those that are done
        #[arg(long)]
        all: bool,
        /// At most so many
        #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(i64).range(1..=100_000))]
        limit: i64,
    },
    /// Note that a request for data was answered
    #[command(after_help = "Example: onhand privacy done 0198c0de-0000-7000-8000-000000000000 \
        --note \"sent by mail\"")]
    Done {
        id: String,
        /// What was done, for whoever asks later
        #[arg(long, default_value = "answered")]
        note: String,
    },
}

const DAY: i64 = 24 * 60 * 60 * 1_000_000;

#[derive(Serialize)]
struct RequestJson<'a> {
    id: &'a str,
    shop: &'a ShopId,
    kind: &'a str,
    customer: Option<&'a str>,
    orders: Vec<&'a str>,
    received_at: String,
    due_at: String,
    /// Whole days; negative once they are over, and nothing once it is done.
    days_left: Option<i64>,
    overdue: bool,
    closed_at: Option<String>,
    note: Option<&'a str>,
}

impl<'a> RequestJson<'a> {
    fn new(row: &'a PrivacyRow, now: Timestamp) -> Self {
        let open = row.closed_at.is_none();
        Self {
            id: &row.id,
            shop: &row.shop,
            kind: &row.kind,
            customer: row.customer.as_deref(),
            orders: row.orders.split_whitespace().collect(),
            received_at: output::moment(row.received_at),
            due_at: output::moment(row.due_at),
            days_left: open.then(|| (row.due_at.0 - now.0).div_euclid(DAY)),
            overdue: open && row.due_at < now,
            closed_at: row.closed_at.map(output::moment),
            note: row.closed_note.as_deref(),
        }
    }

    fn left(&self) -> String {
        match self.days_left {
            None => format!("done: {}", self.note.unwrap_or("–")),
            Some(_) if self.overdue => "OVERDUE".to_owned(),
            Some(days) => match self.note {
                Some(so_far) => format!("{days} ({so_far})"),
                None => days.to_string(),
            },
        }
    }
}

pub(crate) async fn run(settings: &Settings, command: PrivacyCommand) -> anyhow::Result<ExitCode> {
    match command {
        PrivacyCommand::List { all, limit } => {
            let rows = settings.open_store().await?.privacy_requests(all, limit).await?;
            list(settings, &rows, worker::clock::now())
        }
        PrivacyCommand::Done { id, note } => done(settings, &id, &note).await,
    }
}

fn list(settings: &Settings, rows: &[PrivacyRow], now: Timestamp) -> anyhow::Result<ExitCode> {
    let requests: Vec<_> = rows.iter().map(|row| RequestJson::new(row, now)).collect();
    if settings.json {
        output::json(&requests)?;
        return Ok(ExitCode::SUCCESS);
    }
    if requests.is_empty() {
        outln!("No customer waits.");
        return Ok(ExitCode::SUCCESS);
    }
    output::table(
        &["id", "shop", "kind", "customer", "orders", "received", "due", ">days left"],
        requests.iter().map(|one| {
            vec![
                one.id.to_owned(),
                one.shop.to_string(),
                one.kind.to_owned(),
                output::or_dash(one.customer),
                if one.orders.is_empty() { "–".to_owned() } else { one.orders.join(", ") },
                one.received_at.clone(),
                one.due_at.clone(),
                one.left(),
            ]
        }),
    );
    if requests.iter().any(|one| one.days_left.is_some()) {
        outln!("How to answer one: onhand privacy list --help");
    }
    Ok(ExitCode::SUCCESS)
}

async fn done(settings: &Settings, id: &str, note: &str) -> anyhow::Result<ExitCode> {
    let parsed = id.parse().map(EnvelopeId).map_err(|_| {
        bad_config(format!("{id:?} is not a request's id; see `onhand privacy list`"))
    })?;
    if !settings.open_store().await?.close_privacy_request(parsed, note).await? {
        eprintln!(
            "onhand: no open request for data has the id {id}; see `onhand privacy list --all`. \
             What is to be removed is closed by the worker that removes it"
        );
        return Ok(ExitCode::from(NOT_FINE));
    }
    if settings.json {
        output::json(&serde_json::json!({ "done": id }))?;
    } else {
        outln!("Request {id} is done.");
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(due_at: Timestamp, closed_at: Option<Timestamp>) -> PrivacyRow {
        PrivacyRow {
            id: "1".to_owned(),
            shop: ShopId::new("demo"),
            kind: "data_request".to_owned(),
            customer: None,
            orders: "5001 5002".to_owned(),
            received_at: Timestamp(0),
            due_at,
            closed_at,
            closed_note: None,
        }
    }

    #[test]
    fn what_is_carried_out_is_not_said_to_be_done_before_it_is() {
        let mut row = request(Timestamp(30 * DAY), None);
        let left = |row: &PrivacyRow| RequestJson::new(row, Timestamp(0)).left();
        assert_eq!(left(&row), "30");
        row.closed_note = Some("carried out, again at noon".to_owned());
        assert_eq!(left(&row), "30 (carried out, again at noon)");
        row.closed_note = Some("done".to_owned());
        row.closed_at = Some(Timestamp(1));
        assert_eq!(left(&row), "done: done");
    }

    #[test]
    fn days_run_out_until_it_is_done() {
        let now = Timestamp(100 * DAY);
        for (due, closed, left, overdue) in [
            (Timestamp(now.0 + 2 * DAY + 1), None, Some(2), false),
            (Timestamp(now.0 + 1), None, Some(0), false),
            (Timestamp(now.0 - 1), None, Some(-1), true),
            (Timestamp(now.0 - 1), Some(now), None, false),
        ] {
            let row = request(due, closed);
            let shown = RequestJson::new(&row, now);
            assert_eq!((shown.days_left, shown.overdue), (left, overdue), "{due:?}");
            assert_eq!(shown.orders, ["5001", "5002"]);
        }
    }
}
