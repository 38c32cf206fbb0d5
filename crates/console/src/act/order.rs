//! A short order tried again.

use askama::Template;
use axum::extract::State;
use axum::{Extension, Form};
use domain::{OrderId, OrderKey, Outcome, ShopId};
use operate::order::explain::{self, Explained};
use operate::{Command, Operated};
use serde::Deserialize;

use super::{check, done_before, new_key, signed, stored_key};
use crate::Console;
use crate::pages::{Answer, Asked, Asker, Frame, Trouble, asked, find_order, render};
use crate::view;

#[derive(Deserialize)]
pub(super) struct Retry {
    shop: String,
    id: String,
    #[serde(default)]
    key: String,
}

#[derive(Template)]
#[template(path = "retry.html")]
struct RetryPage {
    frame: Frame,
    key: String,
    shop: String,
    id: String,
    back: String,
    why: Vec<(bool, String)>,
}

#[derive(Template)]
#[template(path = "retried.html")]
struct RetriedPage {
    frame: Frame,
    order: String,
    back: String,
    outcome: String,
    detail: String,
    advice: Vec<String>,
}

impl Retry {
    fn order(&self) -> OrderKey {
        let text = |text: &str| asked(text).unwrap_or_default();
        OrderKey { shop: ShopId::new(text(&self.shop)), order: OrderId::new(text(&self.id)) }
    }
}

pub(super) async fn ask(
    State(console): State<Console>,
    Extension(session): Asker,
    Asked(retry): Asked<Retry>,
) -> Answer {
    check(&session.who)?;
    let key = retry.order();
    let (found, policy) = find_order(&console, &key).await?;
    let order = found.view.orders.get(&key).ok_or_else(|| not_there(&key))?;
    let explained = Explained {
        key: &key,
        order,
        policy: &policy,
        stock: &found.view.stock,
        payments: &found.payments,
    };
    Ok(render(&RetryPage {
        frame: Frame::new(&console, &session, "orders", format!("Retry order {}", key.order)),
        key: new_key(),
        shop: key.shop.to_string(),
        id: key.order.to_string(),
        back: view::order(&key),
        why: view::prose(&explain::why(&explained)),
    }))
}

pub(super) async fn retry(
    State(console): State<Console>,
    Extension(session): Asker,
    Form(form): Form<Retry>,
) -> Answer {
    check(&session.who)?;
    let key = form.order();
    let policy = console.shops.borrow().get(&key.shop).map(|shop| shop.policy.clone());
    let policy = policy.ok_or_else(|| {
        Trouble::bad(format!(
            "The shops file names no shop {}, so its rules are not known.",
            key.shop
        ))
    })?;
    let reason = format!("order retry (console, {})", session.who.as_str());
    let mut command = Command::new(reason, Some(stored_key(&form.key)?));
    command.what = signed(&format!("retry order {key}"), &session.who);
    match operate::order::retry::retry(&console.store, &key, &policy, &command).await? {
        Operated::Refused(_) => Err(not_there(&key)),
        Operated::DoneBefore(_) => Err(done_before()),
        Operated::Done((verdict, advice)) => Ok(render(&RetriedPage {
            frame: Frame::new(&console, &session, "orders", format!("Order {}", key.order)),
            order: key.to_string(),
            back: view::order(&key),
            outcome: match verdict.outcome {
                Outcome::Applied => "It is committed now.".to_owned(),
                Outcome::Short => "It is still short.".to_owned(),
                Outcome::Dead => "It cannot be decided.".to_owned(),
                _ => "It asked for nothing more: nothing was changed.".to_owned(),
            },
            detail: verdict.detail.unwrap_or_default(),
            advice: if verdict.outcome == Outcome::Short { advice } else { Vec::new() },
        })),
    }
}

fn not_there(key: &OrderKey) -> Trouble {
    Trouble::not_found(format!("Nothing is known of order {key}."))
}
