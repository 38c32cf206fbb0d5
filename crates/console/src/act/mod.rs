//! What can be done through the console. Each is asked for by a page that says what will happen, and
//! done by that page's form.
//!
//! Every action leaves a row in `operations`: who, what, and under which key. The key comes with the
//! page, so a form that is sent twice acts once. Stock and orders change in the same transaction as
//! the row. Dead letters are replayed and discarded after it: when the process dies in between, the
//! row says what was begun, and the letters that are left are still open.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use domain::Operation;
use operate::audit::{self, AUDIT};
use uuid::Uuid;

use crate::Console;
use crate::access::Who;
use crate::pages::Trouble;

mod dead;
mod order;
mod pause;
mod stock;
mod webhook;

pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .route("/console/stock/adjust", get(stock::ask).post(stock::adjust))
        .route("/console/order/retry", get(order::ask).post(order::retry))
        .route("/console/webhook/replay", get(webhook::ask).post(webhook::replay))
        .route("/console/dead/replay", get(dead::ask_replay).post(dead::replay))
        .route("/console/dead/discard", get(dead::ask_discard).post(dead::discard))
        .route("/console/pause", get(pause::ask).post(pause::pause))
        .route("/console/resume", get(pause::ask).post(pause::resume))
}

/// A name for an action that is about to be confirmed. They sort by when they were given.
fn new_key() -> String {
    Uuid::now_v7().to_string()
}

/// The key of an action, as it is stored.
fn stored_key(key: &str) -> Result<String, Trouble> {
    let key: Uuid =
        key.parse().map_err(|_| Trouble::bad("This form is not one of the console's."))?;
    Ok(format!("{AUDIT}{key}"))
}

/// What was done, with who did it.
fn signed(what: &str, who: &Who) -> String {
    format!("{}: {what}", who.as_str())
}

/// The row of an action.
fn operation(key: &str, what: &str, who: &Who) -> Result<Operation, Trouble> {
    Ok(audit::operation(stored_key(key)?, who.as_str(), what))
}

/// For whom may only look, and came by an address and not by a link.
fn check(who: &Who) -> Result<(), Trouble> {
    if who.may_act() {
        return Ok(());
    }
    Err(Trouble::forbidden("This token may look, not change anything."))
}

/// Of what changes in one transaction with its row.
fn done_before() -> Trouble {
    Trouble::new(
        StatusCode::CONFLICT,
        "This was done before, with this very form: nothing was changed now.",
    )
}

/// Of what comes after its row, and may have been interrupted.
fn begun_before() -> Trouble {
    Trouble::new(
        StatusCode::CONFLICT,
        "This was begun before, with this very form: nothing was changed now. Whether all of it was \
         done can be seen where it was asked for, and what is left can be asked for anew.",
    )
}
