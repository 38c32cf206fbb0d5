//! Whether all is well, in plain words, and what to do if not.
//!
//! The one place of these rules: the console's overview shows what they say, and alerts are raised
//! by them. What is asked of queue and store is bounded, so that it can be asked all the time.

use std::sync::Arc;
use std::time::Duration;

use domain::privacy::PrivacyKind;
use domain::{ShopId, Timestamp};
use queue::{Broker, QueueStats};
use store::channels::PrivacyRow;
use store::pages::{LETTERS_MAX, ReasonRow, Shortage};
use store::reports::Totals;
use store::rollups::{Rollup, Span};
use store::{AnyStore, Channels, Pages, Pause, Pauses, Reports, Rollups, StoreError};
use tokio::time::timeout;

use crate::output::{ago, grouped, or_more};
use crate::pause::{self, is_paused, sentence};
use crate::shop::{self, Silence};
use crate::verify::{Checks, Verified};

mod matter;
mod stock;
mod work;

pub use matter::Matter;
pub use work::{Work, waiting};

/// How long the queue may take to tell how long it is: connecting, declaring and counting are some
/// forty trips to a broker, and five more for each partition.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(5);

/// Items that are named as missing.
const MISSING_NAMED: i64 = 3;

/// What the verdict rests on. `Err`: why nobody knows.
#[derive(Clone, Debug)]
pub struct Facts {
    pub queue: Result<QueueStats, String>,
    pub stored: Result<Stored, String>,
    /// `None`: nobody knows.
    pub work: Option<Work>,
    /// What was verified by itself, in this process.
    pub checks: Checks,
    /// How every shop of the file is doing; `None`: nobody knows.
    pub shops: Option<Arc<Vec<shop::Health>>>,
}

/// What the store knows of it.
#[derive(Clone, Debug, Default)]
pub struct Stored {
    pub totals: Totals,
    pub dead: Vec<ReasonRow>,
    pub unlinked_payments: i64,
    pub privacy: Requests,
    pub shortage: Shortage,
    pub paused: Vec<Pause>,
    /// Processes that apply webhooks and were seen lately.
    pub workers: i64,
    /// What all processes counted in the last 15 minutes, the last ten seconds left out.
    pub recent: Vec<Rollup>,
}

/// Requests of people about their data that somebody must see to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    pub open: i64,
    /// The most urgent one.
    pub due: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub sentence: String,
    pub todo: Vec<Todo>,
    /// What nothing can be said about now.
    pub unknown: Vec<Matter>,
}

/// Something to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Todo {
    pub matter: Matter,
    /// What stands between backticks is to be typed.
    pub text: String,
}

/// How much waits in the queue, or why nobody knows.
pub async fn ask_queue(broker: &Broker) -> Result<QueueStats, String> {
    match timeout(QUEUE_TIMEOUT, broker.stats()).await {
        Ok(stats) => stats.map_err(|error| error.to_string()),
        Err(_) => Err("it took too long to answer".to_owned()),
    }
}

pub async fn ask_store(store: &AnyStore, now: Timestamp) -> Result<Stored, StoreError> {
    let open = store.privacy_requests(false, LETTERS_MAX).await?;
    Ok(Stored {
        totals: store.totals().await?,
        dead: store.dead_reasons().await?,
        unlinked_payments: worker::unlinked_payments(store, now).await?,
        privacy: requests(&open, now),
        shortage: store.shortage(MISSING_NAMED).await?,
        paused: store.pauses().await?,
        workers: work::workers(store).await?,
        recent: store.rollups(Span::Recent, Span::Recent.start(now)).await?,
    })
}

/// Removals are carried out by workers, and stay open until what came before them has left the ladder.
/// Only one that stays longer was refused, and needs somebody.
fn requests(open: &[PrivacyRow], now: Timestamp) -> Requests {
    let needs_somebody = |request: &&PrivacyRow| {
        request.kind == PrivacyKind::DataRequest.as_str() || worker::is_redaction_late(request, now)
    };
    let waiting = open.iter().filter(needs_somebody);
    let due = waiting.clone().map(|request| request.due_at).min();
    Requests { open: i64::try_from(waiting.count()).unwrap_or(i64::MAX), due }
}

pub fn look(facts: &Facts, now: Timestamp) -> Verdict {
    let mut said = Said::default();
    match &facts.stored {
        Ok(stored) => {
            said.note(Matter::Paused, paused(&stored.paused));
            said.note(Matter::Dead, dead(&stored.dead, now));
            said.note(Matter::Privacy, privacy(stored.privacy, now));
            said.note(Matter::Short, stock::short(&stored.shortage));
            said.note(Matter::Payments, payments(stored.unlinked_payments));
        }
        Err(error) => {
            said.note(Matter::Database, Some(database(error)));
            said.unknown.extend([
                Matter::Paused,
                Matter::Dead,
                Matter::Privacy,
                Matter::Short,
                Matter::Payments,
            ]);
        }
    }
    said.note(Matter::Queue, facts.queue.as_ref().err().map(|error| queue(error)));
    said.note_if_known(Matter::Backlog, work::backlog(facts, now));
    said.note_if_known(Matter::Standstill, work::standstill(facts, now));
    said.note_if_known(Matter::Silent, silent(facts, now).map(|silent| silence(&silent, now)));
    let verified = facts.checks.last.as_ref();
    said.note_if_known(Matter::Unverified, unverified(&facts.checks, now));
    let violations = verified.map(|found| violations(found, now)).ok_or(NotKnown);
    said.note_if_known(Matter::Violations, violations);
    said.note_if_known(Matter::Drift, stock::drift(verified, now));
    said.note_if_known(Matter::BelowZero, stock::below_zero(verified, now));
    said.verdict()
}

#[derive(Default)]
struct Said {
    todo: Vec<Todo>,
    unknown: Vec<Matter>,
}

impl Said {
    fn note(&mut self, matter: Matter, text: Option<String>) {
        self.todo.extend(text.map(|text| Todo { matter, text }));
    }

    fn note_if_known(&mut self, matter: Matter, text: Result<Option<String>, NotKnown>) {
        match text {
            Ok(text) => self.note(matter, text),
            Err(NotKnown) => self.unknown.push(matter),
        }
    }

    fn verdict(self) -> Verdict {
        let Self { mut todo, unknown } = self;
        todo.sort_by_key(|todo| todo.matter);
        let sentence = match todo.len() {
            0 => "All is well: what came is applied or on its way, and nothing waits for you."
                .to_owned(),
            1 => "One thing waits for you.".to_owned(),
            several => format!("{several} things wait for you, the most urgent first."),
        };
        Verdict { sentence, todo, unknown }
    }
}

fn database(error: &str) -> String {
    format!(
        "The database cannot be asked ({error}). Webhooks wait in the queue and nothing is lost: look \
         at the database, then at `onhand doctor`."
    )
}

/// After a failed verification comes another soon: so long it may take.
const UNVERIFIED_MIN: i64 = 3_600 * 1_000_000;

fn unverified(checks: &Checks, now: Timestamp) -> Result<Option<String>, NotKnown> {
    match (&checks.failing, &checks.last) {
        (Some(failing), _) if now.0 - failing.since.0 >= UNVERIFIED_MIN => Ok(Some(format!(
            "The promises cannot be checked ({}), which failed first {}: see whether `onhand verify` \
             comes to its end.",
            failing.error,
            ago(now, failing.since)
        ))),
        (None, Some(_)) => Ok(None),
        _ => Err(NotKnown),
    }
}

fn violations(verified: &Verified, now: Timestamp) -> Option<String> {
    let first = verified.violations.first()?;
    let mut promises: Vec<&str> =
        verified.violations.iter().map(|one| one.promise.as_str()).collect();
    promises.sort_unstable();
    promises.dedup();
    Some(format!(
        "The promises were checked {}: {} of {}, as in: {}. Run `onhand verify`, and go by \
         OnhandVerifyViolations in the runbook.",
        ago(now, verified.at),
        counted(verified.violations.len().try_into().unwrap_or(i64::MAX), "violation"),
        promises.join(", "),
        first.detail
    ))
}

fn queue(error: &str) -> String {
    format!(
        "The queue cannot be asked ({error}). If it is away, webhooks are answered 503 and come \
         again: look at the broker, then at `onhand doctor`."
    )
}

/// One sentence for each.
fn paused(pauses: &[Pause]) -> Option<String> {
    let sentences: Vec<String> = pauses.iter().map(sentence).collect();
    (!sentences.is_empty()).then(|| format!("{} `onhand resume` ends it.", sentences.join(" ")))
}

fn is_all_paused(facts: &Facts) -> bool {
    facts.stored.as_ref().is_ok_and(|stored| pause::is_all_paused(&stored.paused))
}

/// Something else is in the way of saying it, or nobody could be asked.
#[derive(Debug, PartialEq, Eq)]
struct NotKnown;

/// Shops that are silent although nothing here is in the way.
fn silent(facts: &Facts, now: Timestamp) -> Result<Vec<(&ShopId, Silence)>, NotKnown> {
    let (Some(shops), Ok(stored)) = (&facts.shops, &facts.stored) else { return Err(NotKnown) };
    // Workers count what came of a shop.
    if work::backlog(facts, now)?.is_some() {
        return Err(NotKnown);
    }
    let silent = shops.iter().filter(|health| !is_paused(&stored.paused, &health.shop));
    Ok(silent.filter_map(|health| Some((&health.shop, health.silence?))).collect())
}

fn silence(silent: &[(&ShopId, Silence)], now: Timestamp) -> Option<String> {
    let (shop, silence) = silent.iter().max_by_key(|(_, silence)| silence.missed)?;
    let others = match silent.len() - 1 {
        0 => String::new(),
        1 => " (1 more shop is silent, too)".to_owned(),
        others => format!(" ({others} more shops are silent, too)"),
    };
    Some(format!(
        "The last webhook of shop {shop} came {}; on other days some {} would have come \
         since{others}. See in its webhook settings whether its platform still sends, and go by \
         OnhandShopSilent in the runbook.",
        ago(now, silence.since),
        grouped(silence.missed)
    ))
}

fn dead(reasons: &[ReasonRow], now: Timestamp) -> Option<String> {
    let most = reasons.first()?;
    let count: i64 = reasons.iter().map(|reason| reason.count).sum();
    let oldest = reasons.iter().map(|reason| reason.oldest).min()?;
    let why = match reasons {
        [only] => only.reason.clone(),
        _ => format!("most: {}", most.reason),
    };
    let more = if most.count >= LETTERS_MAX { " or more" } else { "" };
    Some(format!(
        "{}{more} could not be applied ({why}), the oldest {}. Mend the cause, then replay.",
        counted(count, "webhook"),
        ago(now, oldest)
    ))
}

fn privacy(Requests { open, due }: Requests, now: Timestamp) -> Option<String> {
    let due = due?;
    let days = (due.0 - now.0) / 86_400_000_000;
    let when = match days {
        _ if due < now => "the first is overdue".to_owned(),
        0 => "the first today".to_owned(),
        days => format!("the first within {days} days"),
    };
    Some(format!(
        "{} requests of customers about their data wait for an answer, {when}: `onhand privacy \
         list`.",
        or_more(open, LETTERS_MAX)
    ))
}

fn payments(unlinked: i64) -> Option<String> {
    (unlinked > 0).then(|| {
        format!(
            "{} payments have had no order for a day: `onhand payment list --unlinked \
             --older-than 1d`.",
            or_more(unlinked, LETTERS_MAX)
        )
    })
}

fn counted(count: i64, what: &str) -> String {
    format!("{} {what}{}", grouped(count), if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests;
