//! Whether all is well, in plain words, and what to do if not.
//!
//! The one place of these rules: the console's overview shows what they say, and alerts are raised
//! by them. What is asked of queue and store is bounded, so that it can be asked all the time.

use std::sync::Arc;
use std::time::Duration;

use domain::{ShopId, Timestamp};
use queue::{Broker, QueueStats};
use store::pages::{LETTERS_MAX, ReasonRow, SHORT_MAX, Shortage};
use store::reports::Totals;
use store::{AnyStore, Channels, Pages, Pause, Pauses, Reports, StoreError};
use tokio::time::timeout;

use crate::output::{ago, grouped};
use crate::pause::{self, is_paused, sentence};
use crate::shop::{self, Silence};
use crate::verify::Verified;

/// Parcels in the queue beyond which workers do not keep up.
const BACKLOG: u64 = 1_000;

/// How long the queue may take to tell how long it is.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(2);

/// Items that are named as missing.
const MISSING_NAMED: i64 = 3;

/// What can be wrong, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Matter {
    Database,
    Violations,
    Queue,
    Paused,
    Backlog,
    Dead,
    Silent,
    Privacy,
    Short,
    Payments,
}

/// What the verdict rests on. `Err`: why nobody knows.
#[derive(Clone, Debug)]
pub struct Facts {
    pub queue: Result<QueueStats, String>,
    pub stored: Result<Stored, String>,
    /// The latest that ran by itself, in this process.
    pub verified: Option<Verified>,
    /// How every shop of the file is doing; `None`: nobody knows.
    pub shops: Option<Arc<Vec<shop::Health>>>,
}

/// What the store knows of it.
#[derive(Clone, Debug, Default)]
pub struct Stored {
    pub totals: Totals,
    pub dead: Vec<ReasonRow>,
    pub unlinked_payments: i64,
    /// Of the most urgent request.
    pub privacy_due: Option<Timestamp>,
    pub shortage: Shortage,
    pub paused: Vec<Pause>,
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
    let privacy = store.privacy_requests(false, 1).await?;
    Ok(Stored {
        totals: store.totals().await?,
        dead: store.dead_reasons().await?,
        unlinked_payments: worker::unlinked_payments(store, now).await?,
        privacy_due: privacy.first().map(|request| request.due_at),
        shortage: store.shortage(MISSING_NAMED).await?,
        paused: store.pauses().await?,
    })
}

pub fn look(facts: &Facts, now: Timestamp) -> Verdict {
    let mut todo = Vec::new();
    let mut unknown = Vec::new();
    let mut note = |matter, text: Option<String>| {
        todo.extend(text.map(|text| Todo { matter, text }));
    };
    match &facts.stored {
        Ok(stored) => {
            note(Matter::Paused, paused(&stored.paused));
            note(Matter::Dead, dead(&stored.dead, now));
            note(Matter::Privacy, privacy(stored, now));
            note(Matter::Short, short(&stored.shortage));
            note(Matter::Payments, payments(stored.unlinked_payments));
        }
        Err(error) => {
            note(Matter::Database, Some(database(error)));
            unknown.extend([
                Matter::Paused,
                Matter::Dead,
                Matter::Privacy,
                Matter::Short,
                Matter::Payments,
            ]);
        }
    }
    match &facts.queue {
        // In a pause it is meant to wait.
        Ok(_) if is_all_paused(facts) => unknown.push(Matter::Backlog),
        Ok(stats) => note(Matter::Backlog, backlog(stats)),
        Err(error) => {
            note(Matter::Queue, Some(queue(error)));
            unknown.push(Matter::Backlog);
        }
    }
    match silent(facts) {
        Ok(silent) => note(Matter::Silent, silence(&silent, now)),
        Err(NotKnown) => unknown.push(Matter::Silent),
    }
    note(Matter::Violations, facts.verified.as_ref().and_then(|found| violations(found, now)));
    todo.sort_by_key(|todo| todo.matter);
    let sentence = match todo.len() {
        0 => {
            "All is well: what came is applied or on its way, and nothing waits for you.".to_owned()
        }
        1 => "One thing waits for you.".to_owned(),
        several => format!("{several} things wait for you, the most urgent first."),
    };
    Verdict { sentence, todo, unknown }
}

fn database(error: &str) -> String {
    format!(
        "The database cannot be asked ({error}). Webhooks wait in the queue and nothing is lost: look \
         at the database, then at `onhand doctor`."
    )
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

fn backlog(stats: &QueueStats) -> Option<String> {
    (stats.ready > BACKLOG).then(|| {
        format!(
            "{} parcels wait in the queue: workers do not keep up, or none runs. Look at the \
             workers, and start another.",
            grouped(stats.ready)
        )
    })
}

/// Something here is in the way of the webhooks, or nobody could be asked.
struct NotKnown;

/// Shops that are silent although nothing here is in the way.
fn silent(facts: &Facts) -> Result<Vec<(&ShopId, Silence)>, NotKnown> {
    let (Some(shops), Ok(stored), Ok(queue)) = (&facts.shops, &facts.stored, &facts.queue) else {
        return Err(NotKnown);
    };
    if queue.ready > BACKLOG || is_all_paused(facts) {
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

fn privacy(stored: &Stored, now: Timestamp) -> Option<String> {
    let open = stored.totals.privacy_requests;
    let due = stored.privacy_due.filter(|_| open > 0)?;
    let days = (due.0 - now.0) / 86_400_000_000;
    let when = match days {
        _ if due < now => "the first is overdue".to_owned(),
        0 => "the first today".to_owned(),
        days => format!("the first within {days} days"),
    };
    Some(format!(
        "{} requests of customers about their data wait for an answer, {when}: `onhand privacy \
         list`.",
        grouped(open)
    ))
}

fn short(shortage: &Shortage) -> Option<String> {
    let Shortage { orders, missing } = shortage;
    let (count, ask) = match *orders {
        ..=0 => return None,
        1 => ("1 order is short: it asks".to_owned(), "it"),
        SHORT_MAX.. => (format!("{} orders or more are short: they ask", grouped(*orders)), "them"),
        several => (format!("{} orders are short: they ask", grouped(several)), "them"),
    };
    let item = |item: &store::pages::MissingItem| {
        let available = match item.available {
            0 => "none available".to_owned(),
            below => format!("{} available", grouped(below)),
        };
        format!("{} ({}, {available})", item.sku, counted(item.orders, "order"))
    };
    let missing: Vec<String> = missing.iter().map(item).collect();
    Some(match &missing[..] {
        [] => format!(
            "{count} for more than there was. Some of it may be there by now: try {ask} again \
             (`onhand order retry`)."
        ),
        _ => format!(
            "{count} for more than there is of {}. Bring stock in, then try {ask} again (`onhand \
             order retry`), or cancel at the platform.",
            missing.join(", ")
        ),
    })
}

fn payments(unlinked: i64) -> Option<String> {
    (unlinked > 0).then(|| {
        format!(
            "{} payments have had no order for a day: `onhand payment list --unlinked \
             --older-than 1d`.",
            grouped(unlinked)
        )
    })
}

fn counted(count: i64, what: &str) -> String {
    format!("{} {what}{}", grouped(count), if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests;
