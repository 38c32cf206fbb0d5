//! Everything, or a shop, paused and resumed.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::IntoResponse;
use axum::{Extension, Form};
use domain::ShopId;
use operate::pause::{self, BadReason, name, sentence};
use serde::Deserialize;
use store::Pauses;

use super::{check, new_key, stored_key};
use crate::Console;
use crate::pages::{Answer, Asked, Asker, Frame, Trouble, asked, render};

const SHOPS: &str = "/console/shops";

#[derive(Deserialize)]
pub(super) struct Switch {
    /// Empty: everything.
    #[serde(default)]
    shop: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    key: String,
}

#[derive(Template)]
#[template(path = "pause.html")]
struct PausePage {
    frame: Frame,
    key: String,
    shop: String,
    what: String,
    /// As it is now; `None`: it is not paused.
    paused: Option<String>,
}

impl Switch {
    /// The shop, which the file must name for a pause.
    fn shop(&self) -> Option<ShopId> {
        asked(&self.shop).map(ShopId::new)
    }

    fn asked(&self, by: &str) -> Result<pause::Asked, Trouble> {
        let (by, key) = (by.to_owned(), stored_key(&self.key)?);
        Ok(pause::Asked { by, key, now: operate::now() })
    }
}

/// The question, whichever it is: what is paused can be resumed, and the other way round.
pub(super) async fn ask(
    State(console): State<Console>,
    Extension(session): Asker,
    Asked(switch): Asked<Switch>,
) -> Answer {
    check(&session.who)?;
    let shop = switch.shop();
    let pauses = console.store.pauses().await?;
    let paused = pauses.iter().find(|pause| pause.shop == shop).map(sentence);
    if paused.is_none() {
        known(&console, shop.as_ref())?;
    }
    let verb = if paused.is_some() { "Resume" } else { "Pause" };
    let what = name(shop.as_ref());
    Ok(render(&PausePage {
        frame: Frame::new(&console, &session, "shops", format!("{verb} {what}")),
        key: new_key(),
        shop: shop.map(|shop| shop.to_string()).unwrap_or_default(),
        what,
        paused,
    }))
}

pub(super) async fn pause(
    State(console): State<Console>,
    Extension(session): Asker,
    Form(form): Form<Switch>,
) -> Answer {
    check(&session.who)?;
    let (shop, asked_by) = (form.shop(), form.asked(session.who.as_str())?);
    known(&console, shop.as_ref())?;
    let reason = form.reason.parse().map_err(|bad: BadReason| Trouble::bad(format!("{bad}.")))?;
    let done = pause::pause(&console.store, shop, reason, &asked_by).await?;
    answer(done, "It is paused already, or was by this very form before: nothing was changed now.")
}

pub(super) async fn resume(
    State(console): State<Console>,
    Extension(session): Asker,
    Form(form): Form<Switch>,
) -> Answer {
    check(&session.who)?;
    let (shop, asked_by) = (form.shop(), form.asked(session.who.as_str())?);
    let done = pause::resume(&console.store, shop.as_ref(), &asked_by).await?;
    answer(done, "It is not paused, or was resumed by this very form before: nothing was changed.")
}

fn answer(is_done: bool, otherwise: &str) -> Answer {
    match is_done {
        true => Ok((StatusCode::SEE_OTHER, [(LOCATION, SHOPS)]).into_response()),
        false => Err(Trouble::new(StatusCode::CONFLICT, otherwise)),
    }
}

/// A name that nobody has would pause nothing.
fn known(console: &Console, shop: Option<&ShopId>) -> Result<(), Trouble> {
    match shop.filter(|shop| console.shops.borrow().get(shop).is_none()) {
        Some(shop) => Err(Trouble::not_found(format!("The shops file names no shop {shop}."))),
        None => Ok(()),
    }
}
