//! Dead letters decided again, or closed for good: one, or those of one reason.
//!
//! Many are done in steps: one form does the oldest of them at a bounded rate, and its answer has the
//! form that goes on behind them. The page sends that by itself; without a script a click does. What
//! was done so far stands in the form, so any replica of the console can go on, and whoever closes the
//! page stops it.

use std::time::{Duration, Instant};

use askama::Template;
use axum::extract::State;
use axum::{Extension, Form};
use domain::EnvelopeId;
use operate::audit;
use operate::dead::{Replayed, Replayer, Tally};
use operate::pace::{Pace, RATE};
use serde::Deserialize;
use store::pages::{LETTERS_MAX, Letters};
use store::reports::{Closed, DeadFilter, DeadRow};
use store::{Pages, Reports};

use super::{begun_before, check, new_key, operation};
use crate::Console;
use crate::access::{Session, Who};
use crate::pages::{Answer, Asked, Asker, Frame, Trouble, asked, render};
use crate::view::{self, grouped, link};

/// Letters of one step: at the rate, two seconds.
const STEP: i64 = 2 * RATE as i64;

/// How long one step goes on. Letters that are left stay open, for the next.
const TIME_MAX: Duration = Duration::from_secs(5);

/// Letters whose replay is previewed, and for how long: all of them where there are few.
const PREVIEW_MAX: i64 = 1_000;
const PREVIEW_TIME_MAX: Duration = Duration::from_secs(3);

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
    /// The last letter that was looked at.
    #[serde(default)]
    after: String,
    /// How many letters were looked at, of how many, and what became of them.
    #[serde(default)]
    seen: i64,
    #[serde(default)]
    all: i64,
    #[serde(default)]
    tally: String,
}

#[derive(Template)]
#[template(path = "letters_ask.html")]
struct AskPage {
    frame: Frame,
    form: NextForm,
    count: String,
    /// What would become of them, where it is to be said.
    preview: Option<String>,
    letters: Vec<(String, String, String)>,
    back: String,
}

/// The form that does the next step.
struct NextForm {
    is_replay: bool,
    which: Which,
}

#[derive(Template)]
#[template(path = "letters_done.html")]
struct DonePage {
    frame: Frame,
    /// There are more to do.
    form: Option<NextForm>,
    is_replay: bool,
    seen: i64,
    all: i64,
    summary: String,
    still_dead: u64,
    results: Vec<Became>,
    /// Earlier steps had others.
    is_latest: bool,
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
    fn letters(&self) -> Letters {
        Letters { reason: asked(&self.reason), ..Letters::default() }
    }

    /// The next ones, the oldest first.
    async fn next(&self, console: &Console, limit: i64) -> Result<Vec<DeadRow>, Trouble> {
        match (asked(&self.id), asked(&self.reason)) {
            (Some(id), None) => {
                let id = id.parse().map(EnvelopeId);
                let id = id.map_err(|_| Trouble::not_found("There is no such dead letter."))?;
                let filter = DeadFilter { id: Some(id), limit: 1, ..DeadFilter::default() };
                Ok(console.store.dead_letters(&filter).await?)
            }
            (None, Some(_)) => {
                let after = asked(&self.after).and_then(|id| id.parse().ok()).map(EnvelopeId);
                Ok(console.store.open_letters(&self.letters(), after, limit).await?)
            }
            _ => Err(Trouble::bad("Which dead letters? One, or those of one reason.")),
        }
    }

    /// What one command does, in its steps; of more, whoever asked may ask again.
    async fn count(&self, console: &Console) -> Result<i64, Trouble> {
        match asked(&self.id) {
            Some(_) => Ok(1),
            None => {
                Ok(console.store.count_open_letters(&self.letters(), None, LETTERS_MAX).await?)
            }
        }
    }

    /// In words, for the record.
    fn describe(&self) -> String {
        if let Some(id) = asked(&self.id) {
            return format!("dead letter {id}");
        }
        let reason = asked(&self.reason).unwrap_or_default();
        let letters = if self.all == 1 { "letter" } else { "letters" };
        let of = format!("{} dead {letters} of reason {reason}", self.all);
        match self.seen {
            0 => of,
            seen => format!("{of}, on from {seen}"),
        }
    }

    fn back(&self) -> String {
        link("/console/dead", &[("reason", &asked(&self.reason).unwrap_or_default())])
    }

    fn form(self, is_replay: bool) -> NextForm {
        NextForm { is_replay, which: Self { key: new_key(), ..self } }
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
    mut which: Which,
    is_replay: bool,
) -> Answer {
    check(&session.who)?;
    let rows = which.next(&console, PREVIEW_MAX).await?;
    if rows.is_empty() {
        return Err(none_left());
    }
    which.all = which.count(&console).await?;
    let title = if is_replay { "Replay" } else { "Discard" };
    let letter = |row: &DeadRow| (view::letter(&row.id), row.topic.clone(), row.detail.clone());
    let preview = match is_replay {
        true => Some(preview(&console, &rows, which.all).await?),
        false => None,
    };
    Ok(render(&AskPage {
        frame: Frame::new(&console, &session, "dead", title),
        count: match which.all {
            1 => "1 dead letter".to_owned(),
            LETTERS_MAX.. => format!("the oldest {} dead letters", grouped(LETTERS_MAX)),
            count => format!("{} dead letters", grouped(count)),
        },
        preview,
        letters: rows.iter().take(NAMED).map(letter).collect(),
        back: which.back(),
        form: which.form(is_replay),
    }))
}

/// What a replay would do, in words, as far as it can be found out while somebody waits.
async fn preview(console: &Console, rows: &[DeadRow], all: i64) -> Result<String, Trouble> {
    let shops = console.shops.borrow().clone();
    let mut replayer = Replayer::new(console.store.clone(), shops);
    let (begun, mut tally, mut seen) = (Instant::now(), Tally::default(), 0);
    for row in rows {
        if begun.elapsed() > PREVIEW_TIME_MAX {
            break;
        }
        replayer.preview(row, id(row)?).await?.iter().for_each(|one| tally.add(one));
        seen += 1;
    }
    let cut = match all {
        all if seen < all => format!(" (looked at the oldest {} of them)", grouped(seen)),
        _ => String::new(),
    };
    Ok(format!("As of now it {}{cut}.", tally.would()))
}

pub(super) async fn replay(
    State(console): State<Console>,
    Extension(session): Asker,
    Form(which): Form<Which>,
) -> Answer {
    check(&session.who)?;
    let shops = console.shops.borrow().clone();
    let replayer = Replayer::new(console.store.clone(), shops);
    step(&console, &session, which, Doing::Replay(Box::new(replayer))).await
}

pub(super) async fn discard(
    State(console): State<Console>,
    Extension(session): Asker,
    Form(which): Form<Which>,
) -> Answer {
    check(&session.who)?;
    let why = operate::why(&asked(&which.why).unwrap_or_default())
        .map_err(|_| Trouble::bad("Why? It is kept with the letter."))?;
    step(&console, &session, which, Doing::Discard { why }).await
}

/// What is done to letters.
enum Doing {
    Replay(Box<Replayer>),
    Discard { why: String },
}

impl Doing {
    fn is_replay(&self) -> bool {
        matches!(self, Self::Replay(_))
    }

    /// For the record.
    fn describe(&self, which: &Which) -> String {
        match self {
            Self::Replay(_) => format!("replay {}", which.describe()),
            Self::Discard { why } => format!("discard {}, {why}", which.describe()),
        }
    }

    async fn one(
        &mut self,
        console: &Console,
        row: &DeadRow,
        who: &Who,
    ) -> Result<Vec<Replayed>, Trouble> {
        let id = id(row)?;
        Ok(match self {
            Self::Replay(replayer) => replayer.replay(row, id).await?,
            Self::Discard { why } => {
                let kept = format!("{why} (console, {})", who.as_str());
                let store = &console.store;
                let closed = store.close_dead_letter(id, Closed::Discarded, &kept).await?;
                let outcome = if closed { DISCARDED } else { "closed_before" };
                vec![Replayed { outcome, reason: None, detail: None }]
            }
        })
    }

    fn summary(&self, tally: &Tally) -> String {
        match self {
            Self::Replay(_) => tally.did(),
            Self::Discard { .. } => format!("discarded {}", grouped(tally.of(DISCARDED))),
        }
    }
}

const DISCARDED: &str = "discarded";

/// Does the next ones. A step that finds none left does nothing and leaves no row.
async fn step(console: &Console, session: &Session, mut which: Which, mut doing: Doing) -> Answer {
    let rows = which.next(console, STEP).await?;
    if rows.is_empty() && which.seen == 0 {
        return Err(none_left());
    }
    let operation = operation(&which.key, &doing.describe(&which), &session.who)?;
    if !rows.is_empty() && !audit::note(&console.store, operation).await? {
        return Err(begun_before());
    }
    let was_begun = which.seen > 0;
    let mut tally = Tally::parse(&which.tally);
    let (begun, mut pace, mut results) = (Instant::now(), Pace::new(RATE), Vec::new());
    for row in &rows {
        if begun.elapsed() > TIME_MAX || which.seen >= which.all {
            break;
        }
        pace.wait().await;
        let became = doing.one(console, row, &session.who).await?;
        became.iter().for_each(|one| tally.add(one));
        results.extend(became.into_iter().map(|one| Became::new(row, one)));
        (which.seen, which.after) = (which.seen + 1, row.id.clone());
    }
    which.tally = tally.to_string();
    let (is_replay, goes_on) = (doing.is_replay(), !results.is_empty() && which.seen < which.all);
    let title = if is_replay { "Replayed" } else { "Discarded" };
    Ok(render(&DonePage {
        frame: Frame::new(console, session, "dead", title),
        is_replay,
        seen: which.seen,
        all: which.all,
        summary: doing.summary(&tally),
        still_dead: tally.still_dead(),
        results,
        is_latest: was_begun || goes_on,
        back: which.back(),
        form: goes_on.then(|| which.form(is_replay)),
    }))
}

impl Became {
    fn new(row: &DeadRow, replayed: Replayed) -> Self {
        Self {
            id: row.id.clone(),
            link: view::letter(&row.id),
            outcome: replayed.outcome,
            detail: replayed.detail.unwrap_or_default(),
        }
    }
}

fn none_left() -> Trouble {
    Trouble::not_found("There is no open dead letter of these any more.")
}

fn id(row: &DeadRow) -> Result<EnvelopeId, Trouble> {
    row.id.parse().map(EnvelopeId).map_err(|_| Trouble::not_found("There is no such dead letter."))
}
