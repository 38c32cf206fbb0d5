//! Units added or taken, with a reason.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::IntoResponse;
use axum::{Extension, Form};
use domain::{LocationId, Sku, Stock, StockKey};
use operate::stock::{self, Refused, What, change};
use operate::{Command, Operated};
use serde::Deserialize;
use store::Reports;

use super::{check, done_before, new_key, signed, stored_key};
use crate::Console;
use crate::pages::{Answer, Asked, Asker, Frame, Trouble, asked, render};
use crate::view::{self, grouped, link, signed as with_sign};

#[derive(Deserialize)]
pub(super) struct Change {
    sku: String,
    location: String,
    units: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    key: String,
}

/// A change that makes sense.
struct Checked {
    row: StockKey,
    units: i64,
    reason: String,
}

#[derive(Template)]
#[template(path = "adjust.html")]
struct AdjustPage {
    frame: Frame,
    key: String,
    sku: String,
    location: String,
    back: String,
    units: i64,
    units_text: String,
    reason: String,
    before: String,
    after: String,
    committed: String,
}

impl Change {
    fn check(&self) -> Result<Checked, Trouble> {
        let (Some(sku), Some(location)) = (asked(&self.sku), asked(&self.location)) else {
            return Err(Trouble::bad("No stock row is named."));
        };
        let units = self.units.trim().replace('−', "-");
        let units =
            stock::units(&units).map_err(|error| Trouble::bad(format!("Units: {error}.")))?;
        let reason = operate::why(&asked(&self.reason).unwrap_or_default())
            .map_err(|_| Trouble::bad("Why? The reason is written into the ledger."))?;
        Ok(Checked {
            row: StockKey::new(&Sku::new(sku), &LocationId::new(location)),
            units,
            reason,
        })
    }
}

pub(super) async fn ask(
    State(console): State<Console>,
    Extension(session): Asker,
    Asked(change): Asked<Change>,
) -> Answer {
    check(&session.who)?;
    let Checked { row, units, reason } = change.check()?;
    let rows = console.store.stock(std::slice::from_ref(&row.sku)).await?;
    let stock = rows.into_iter().find(|(key, _)| *key == row).map(|(_, stock)| stock);
    let stock = stock.ok_or_else(|| refuse(&row, Refused::Unknown))?;
    let on_hand = stock.on_hand + units;
    if units < 0 && on_hand < (stock.committed + stock.floor).max(0) {
        return Err(refuse(&row, Refused::BelowCommitted { on_hand, stock }));
    }
    Ok(render(&AdjustPage {
        frame: Frame::new(&console, &session, "stock", format!("Adjust {}", row.sku)),
        key: new_key(),
        sku: row.sku.to_string(),
        location: row.location.to_string(),
        back: view::row(&row),
        units,
        units_text: with_sign(units),
        reason,
        before: grouped(stock.on_hand),
        after: grouped(on_hand),
        committed: grouped(stock.committed),
    }))
}

pub(super) async fn adjust(
    State(console): State<Console>,
    Extension(session): Asker,
    Form(form): Form<Change>,
) -> Answer {
    check(&session.who)?;
    let Checked { row, units, reason } = form.check()?;
    let what = What::Adjust { units };
    let reason = format!("{reason} (console, {})", session.who.as_str());
    let mut command = Command::new(&reason, Some(stored_key(&form.key)?));
    command.what =
        signed(&format!("{}, {}", what.describe(&row), form.reason.trim()), &session.who);
    match change(&console.store, &row, what, &command).await? {
        Operated::Done(_) => {
            let back = [
                ("sku", row.sku.as_str()),
                ("location", row.location.as_str()),
                ("done", "adjusted"),
            ];
            let back = link("/console/stock/item", &back);
            Ok((StatusCode::SEE_OTHER, [(LOCATION, back)]).into_response())
        }
        Operated::Refused(why) => Err(refuse(&row, why)),
        Operated::DoneBefore(_) => Err(done_before()),
    }
}

fn refuse(row: &StockKey, why: Refused) -> Trouble {
    let text = match why {
        Refused::Unknown => {
            format!("{row} has no stock row; `onhand stock set {} N` makes one.", row.sku)
        }
        Refused::BelowCommitted { on_hand, stock: Stock { committed, .. } } => format!(
            "{row} would have {} on hand, but {} units are committed to orders. Nothing was \
             changed. Cancel as many of them as it takes, or let the row go below zero with \
             `onhand stock floor`.",
            grouped(on_hand),
            grouped(committed)
        ),
    };
    Trouble::new(StatusCode::CONFLICT, text)
}
