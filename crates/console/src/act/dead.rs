//! Dead letters decided again, or closed for good: one, or those of one reason.

use std::time::{Duration, Instant};

use askama::Template;
use axum::extract::State;
use axum::{Extension, Form};
use domain::EnvelopeId;
use operate::dead::{DEAD, Replayer};
use serde::Deserialize;
use store::pages::DeadPage;
use store::reports::{Closed, DeadFilter, DeadRow};
use store::{Pages, Reports};

use super::{check, done_before, new_key, note, signed, stored_key};
use crate::Console;
use crate::pages::{Answer, Asked, Asker, Frame, Trouble, asked, render};
use crate::view::{self, grouped, link};

/// Letters of one click: people can still read what became of them.
const LETTERS_MAX: i64 = 200;

/// How long one click goes on. Letters that are left stay open.
const TIME_MAX: Duration = Duration::from_secs(5);

#[derive(Deserialize)]
pub(super) struct Which {
    /// One letter.
    #[serde(default)]
    id: String,
    /// Or the open ones of this reason.
    #[serde(default)]
    reason: String,
    /// Why they are discarded.
    #[serde(default)]
    why: String,
    #[serde(default)]
    key: String,
}

#[derive(Template)]
#[template(path = "letters_ask.html")]
struct AskPage {
    frame: Frame,
    key: String,
    id: String,
    reason: String,
    is_replay: bool,
    count: String,
    /// There are more than one click takes.
    is_cut: bool,
    letters: Vec<(String, String, String)>,
    back: String,
}

#[derive(Template)]
#[template(path = "letters_done.html")]
struct DonePage {
    frame: Frame,
    is_replay: bool,
    results: Vec<Became>,
    left: usize,
    still_dead: usize,
    back: String,
}

/// What became of a letter.
struct Became {
    id: String,
    link: String,
    outcome: &'static str,
    detail: String,
}

/// Letters shown before a question is confirmed.
const NAMED: usize = 20;

impl Which {
    async fn letters(&self, console: &Console) -> Result<Vec<DeadRow>, Trouble> {
        let rows = match (asked(&self.id), asked(&self.reason)) {
            (Some(id), None) => {
                let id = id.parse().map(EnvelopeId);
                let id = id.map_err(|_| Trouble::not_found("There is no such dead letter."))?;
                let filter = DeadFilter { id: Some(id), reason: None, closed_too: false, limit: 1 };
                console.store.dead_letters(&filter).await?
            }
            (None, Some(reason)) => {
                let page =
                    DeadPage { reason: Some(reason), limit: LETTERS_MAX, ..DeadPage::default() };
                console.store.dead_page(&page).await?
            }
            _ => return Err(Trouble::bad("Which dead letters? One, or those of one reason.")),
        };
        if rows.is_empty() {
            return Err(Trouble::not_found("There is no open dead letter of these any more."));
        }
        Ok(rows)
    }

    /// In words, for the record.
    fn describe(&self, count: usize) -> String {
        match asked(&self.id) {
            Some(id) => format!("dead letter {id}"),
            None => format!("{count} dead letters of reason {}", self.reason.trim()),
        }
    }

    fn back(&self) -> String {
        link("/console/dead", &[("reason", self.reason.trim())])
    }
}

pub(super) async fn ask_replay(
    console: State<Console>,
    session: Asker,
    Asked(which): Asked<Which>,
) -> Answer {
    ask(console, session, which, true).await
}

pub(super) async fn ask_discard(
    console: State<Console>,
    session: Asker,
    Asked(which): Asked<Which>,
) -> Answer {
    ask(console, session, which, false).await
}

async fn ask(
    State(console): State<Console>,
    Extension(session): Asker,
    which: Which,
    is_replay: bool,
) -> Answer {
    check(session.who)?;
    let rows = which.letters(&console).await?;
    let title = if is_replay { "Replay" } else { "Discard" };
    let letter = |row: &DeadRow| (view::letter(&row.id), row.topic.clone(), row.detail.clone());
    Ok(render(&AskPage {
        frame: Frame::new(&console, &session, "dead", title),
        key: new_key(),
        is_replay,
        count: match rows.len() {
            1 => "1 dead letter".to_owned(),
            count => format!("{} dead letters", grouped(i64::try_from(count).unwrap_or(i64::MAX))),
        },
        is_cut: i64::try_from(rows.len()).is_ok_and(|len| len == LETTERS_MAX),
        letters: rows.iter().take(NAMED).map(letter).collect(),
        back: which.back(),
        id: which.id,
        reason: which.reason,
    }))
}

pub(super) async fn replay(
    State(console): State<Console>,
    Extension(session): Asker,
    Form(which): Form<Which>,
) -> Answer {
    check(session.who)?;
    let rows = which.letters(&console).await?;
    let what = signed(&format!("replay {}", which.describe(rows.len())), session.who);
    if !note(&console.store, stored_key(&which.key)?, what).await? {
        return Err(done_before());
    }
    let shops = console.shops.borrow().clone();
    let mut replayer = Replayer::new(console.store.clone(), shops);
    let (begun, mut results, mut done) = (Instant::now(), Vec::new(), 0);
    for row in &rows {
        if begun.elapsed() > TIME_MAX {
            break;
        }
        let replayed = replayer.replay(row, id(row)?).await?;
        results.extend(replayed.into_iter().map(|one| Became {
            id: row.id.clone(),
            link: view::letter(&row.id),
            outcome: one.outcome,
            detail: one.detail.unwrap_or_default(),
        }));
        done += 1;
    }
    Ok(render(&DonePage {
        frame: Frame::new(&console, &session, "dead", "Replayed"),
        is_replay: true,
        still_dead: results.iter().filter(|one| one.outcome == DEAD).count(),
        results,
        left: rows.len() - done,
        back: which.back(),
    }))
}

pub(super) async fn discard(
    State(console): State<Console>,
    Extension(session): Asker,
    Form(which): Form<Which>,
) -> Answer {
    check(session.who)?;
    let why = asked(&which.why).ok_or_else(|| Trouble::bad("Why? It is kept with the letter."))?;
    let rows = which.letters(&console).await?;
    let what = signed(&format!("discard {}, {why}", which.describe(rows.len())), session.who);
    if !note(&console.store, stored_key(&which.key)?, what).await? {
        return Err(done_before());
    }
    let kept = format!("{why} (console, {})", session.who.as_str());
    let (begun, mut results) = (Instant::now(), Vec::new());
    for row in &rows {
        if begun.elapsed() > TIME_MAX {
            break;
        }
        let closed = console.store.close_dead_letter(id(row)?, Closed::Discarded, &kept).await?;
        results.push(Became {
            id: row.id.clone(),
            link: view::letter(&row.id),
            outcome: if closed { "discarded" } else { "closed before" },
            detail: String::new(),
        });
    }
    let left = rows.len() - results.len();
    let frame = Frame::new(&console, &session, "dead", "Discarded");
    let back = which.back();
    Ok(render(&DonePage { frame, is_replay: false, results, left, still_dead: 0, back }))
}

fn id(row: &DeadRow) -> Result<EnvelopeId, Trouble> {
    row.id.parse().map(EnvelopeId).map_err(|_| Trouble::not_found("There is no such dead letter."))
}
