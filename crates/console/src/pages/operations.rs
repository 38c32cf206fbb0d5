//! What was done through the console, and what commands note as well: by whom, when, what.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use operate::audit::AUDIT;
use serde::Deserialize;
use store::Pages;
use store::pages::OperationRow;

use super::{Answer, Asked, Asker, Frame, ROWS, asked, render};
use crate::Console;
use crate::view::{Moment, link};

#[derive(Deserialize)]
pub(super) struct Search {
    #[serde(default)]
    before: String,
}

#[derive(Template)]
#[template(path = "operations.html")]
struct OperationsPage {
    frame: Frame,
    rows: Vec<Row>,
    next: Option<String>,
}

struct Row {
    what: String,
    at: Moment,
}

pub(super) async fn list(
    State(console): State<Console>,
    Extension(session): Asker,
    Asked(search): Asked<Search>,
) -> Answer {
    let before = asked(&search.before).map(|key| format!("{AUDIT}{key}"));
    let rows = console.store.operation_page(AUDIT, before.as_deref(), ROWS).await?;
    let last = rows.last().filter(|_| i64::try_from(rows.len()).is_ok_and(|len| len == ROWS));
    let next = last.and_then(|row| {
        let key = row.key.strip_prefix(AUDIT)?;
        Some(link("/console/operations", &[("before", key)]))
    });
    let row = |row: &OperationRow| Row { what: row.what.clone(), at: Moment::new(row.at) };
    Ok(render(&OperationsPage {
        frame: Frame::new(&console, &session, "operations", "Actions"),
        rows: rows.iter().map(row).collect(),
        next,
    }))
}
