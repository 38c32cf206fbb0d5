//! `onhand doctor`: is everything there that the roles need, and how to mend what is not.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use domain::{Platform, ShopId, Timestamp};
use queue::Broker;
use serde::Serialize;
use store::{AnyStore, Channels, Database, Reports, Store};

use crate::config::Settings;
use crate::config::alert_url::AlertUrl;
use crate::exit::UNREACHABLE;
use crate::roles::is_served;
use crate::{output, shops_file};

/// How long one check may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A clock before this is wrong: webhooks cannot be older than this program.
const PROGRAM_MADE_AT: i64 = 1_790_000_000_000_000;

/// Two clocks that are further apart, in microseconds, are not kept right.
const APART_MAX: u64 = 5_000_000;

const SET_CLOCK: &str =
    "set the clock that is wrong (for example with chrony), or signatures and retries go wrong";

#[derive(Serialize)]
struct Check {
    what: &'static str,
    ok: bool,
    detail: String,
    #[serde(skip)]
    code: u8,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    alerts: AlertUrl,
}

pub(crate) async fn run(settings: &Settings, args: &DoctorArgs) -> anyhow::Result<ExitCode> {
    let mut checks = vec![
        check("shops file", async { shops(settings) }).await,
        check("data folder", async { data_folder(settings) }).await,
        check("database", database(settings)).await,
        check("queue", queue(settings)).await,
        check("clock", clock(settings)).await,
        check("alerts", async { alerts(&args.alerts) }).await,
    ];
    // Without shops or a database nothing can be said about apps, and why was said already.
    let mut needed = checks.iter().filter(|it| ["shops file", "database"].contains(&it.what));
    if needed.all(|check| check.ok) && !is_ingress(settings) {
        checks.push(check("apps", apps(settings)).await);
    }
    if settings.json {
        output::json(&checks)?;
    } else {
        for check in &checks {
            outln!("{} {}: {}", if check.ok { "✓" } else { "✗" }, check.what, check.detail);
        }
    }
    if let Some(waiting) = waiting_for_nobody(settings).await {
        eprintln!(
            "onhand: {waiting} parcels wait, and nobody applies them: start `onhand serve` with \
             --data-dir {}",
            settings.data_dir.display()
        );
    }
    // What cannot be reached hides what else is wrong, so it goes first.
    Ok(ExitCode::from(checks.iter().map(|check| check.code).max().unwrap_or(0)))
}

async fn check(what: &'static str, work: impl Future<Output = anyhow::Result<String>>) -> Check {
    let answer = tokio::time::timeout(TIMEOUT, work).await;
    let (ok, detail, code) = match answer {
        Ok(Ok(detail)) => (true, detail, 0),
        Ok(Err(error)) => (false, format!("{error:#}"), crate::exit::code(&error)),
        Err(_) => (false, format!("no answer within {} s", TIMEOUT.as_secs()), UNREACHABLE),
    };
    Check { what, ok, detail, code }
}

fn shops(settings: &Settings) -> anyhow::Result<String> {
    let shops = shops_file::load(&settings.shops)?;
    Ok(format!("{} names {} shop(s)", settings.shops.display(), shops.count()))
}

fn data_folder(settings: &Settings) -> anyhow::Result<String> {
    let folder = &settings.data_dir;
    // A setting that cannot be read is told of where it belongs, and needs no folder.
    let embedded = matches!(settings.broker("doctor"), Ok(Broker::Embedded(_)))
        || matches!(settings.database(1), Ok(Database::Sqlite(_)));
    if !embedded || (is_ingress(settings) && !folder.exists()) {
        return Ok("not needed".to_owned());
    }
    if !folder.exists() {
        return Ok(format!("{} will be made by `onhand serve`", folder.display()));
    }
    let probe = folder.join(".doctor");
    std::fs::write(&probe, b"x").and_then(|()| std::fs::remove_file(&probe)).map_err(|error| {
        crate::exit::bad_config(format!(
            "cannot write to {}: {error}; give it to the user that runs onhand, \
             or name another with --data-dir",
            folder.display()
        ))
    })?;
    Ok(format!("{} can be written", folder.display()))
}

/// Whether this looks like the place of a fleet's ingress, which needs no database and is told of none.
fn is_ingress(settings: &Settings) -> bool {
    settings.database_url.is_none()
        && matches!(settings.broker("doctor"), Ok(Broker::RabbitMq(_)))
        && matches!(settings.database(1), Ok(Database::Sqlite(path)) if !path.exists())
}

async fn database(settings: &Settings) -> anyhow::Result<String> {
    if is_ingress(settings) {
        let none = "none is named (ONHAND_DATABASE_URL); an ingress needs none, all else does";
        return Ok(none.to_owned());
    }
    settings.open_store().await?.ping().await?;
    Ok("answers, and its schema fits".to_owned())
}

async fn queue(settings: &Settings) -> anyhow::Result<String> {
    let stats = settings.broker("doctor")?.stats().await?;
    Ok(format!("answers; {} parcels ready, {} delayed", stats.ready, stats.delayed))
}

/// Parcels in the data folder while no process serves it: also those that one had in hand when it
/// died.
async fn waiting_for_nobody(settings: &Settings) -> Option<u64> {
    let broker = settings.broker("doctor").ok()?;
    if !matches!(broker, Broker::Embedded(_)) || is_served(&settings.data_dir) {
        return None;
    }
    let stats = broker.stats().await.ok()?;
    let waiting = stats.ready + stats.delayed + stats.unacked.unwrap_or(0);
    (waiting > 0).then_some(waiting)
}

/// Whether every shop still has the app that it sends through.
async fn apps(settings: &Settings) -> anyhow::Result<String> {
    let shops = shops_file::load(&settings.shops)?;
    let store = settings.open_store().await?;
    let mut removed = Vec::new();
    for shop in shops.iter().filter(|shop| shop.platform == Platform::Shopify) {
        if let Some(at) = removed_at(&store, &shop.name).await? {
            removed.push(format!("{} since {}", shop.name, output::moment(at)));
        }
    }
    if removed.is_empty() {
        return Ok("no shop removed the app that it sends through".to_owned());
    }
    anyhow::bail!(
        "removed at the platform, and no webhook came since: {}; install it there again and \
         subscribe its webhooks, or take the shop out of the shops file once its shop/redact has \
         come, which is two days after the removal",
        removed.join(", ")
    )
}

/// When the shop removed its app, if it did not come back.
async fn removed_at(store: &AnyStore, shop: &ShopId) -> anyhow::Result<Option<Timestamp>> {
    // Sightings come by kind, and no kind comes before `app`.
    let first = store.sightings(shop, None, 1).await?.pop();
    let Some(app) = first.filter(|row| row.kind == "app" && row.gone) else { return Ok(None) };
    let last = store.last_webhook(shop, app.seen_at).await?;
    Ok(last.is_none_or(|last| last <= app.seen_at).then_some(app.seen_at))
}

/// What the URL looks like; whether anybody listens there is for `onhand alert test`.
fn alerts(url: &AlertUrl) -> anyhow::Result<String> {
    Ok(match url.receiver()? {
        Some(receiver) => {
            format!("a URL at {}; `onhand alert test` posts a message there", receiver.host())
        }
        None => "not posted; ONHAND_ALERT_URL would say where".to_owned(),
    })
}

/// Against the only other clock that there may be: the database's.
async fn clock(settings: &Settings) -> anyhow::Result<String> {
    let now = worker::clock::now();
    let said = output::moment(now);
    if now.0 < PROGRAM_MADE_AT {
        anyhow::bail!("it is {said} by this machine; {SET_CLOCK}");
    }
    // Why it cannot be asked is said of the database.
    let Ok(store) = settings.open_store().await else {
        return Ok(format!("{said} by this machine"));
    };
    let asked = worker::clock::now();
    let Ok(Some(theirs)) = store.clock().await else {
        return Ok(format!("{said} by this machine; there is no other clock to compare it with"));
    };
    let ahead = ahead(asked, theirs, worker::clock::now());
    if ahead.unsigned_abs() > APART_MAX {
        let way = if ahead > 0 { "ahead of" } else { "behind" };
        let seconds = ahead.unsigned_abs() / 1_000_000;
        anyhow::bail!(
            "it is {said} by this machine, which is {seconds} s {way} the database's; {SET_CLOCK}"
        );
    }
    Ok(format!("{said}, as by the database"))
}

/// How far, in microseconds, this machine's clock is ahead of another that was asked and answered
/// `theirs` in between: nobody knows when, so as little as it may be.
fn ahead(asked: Timestamp, theirs: Timestamp, answered: Timestamp) -> i64 {
    (asked.0 - theirs.0).max(0) + (answered.0 - theirs.0).min(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_only_wrong_by_what_the_round_trip_does_not_explain() {
        let ahead = |asked, theirs, answered| {
            super::ahead(Timestamp(asked), Timestamp(theirs), Timestamp(answered))
        };
        assert_eq!([ahead(10, 10, 10), ahead(10, 10, 90), ahead(10, 90, 90)], [0, 0, 0]);
        assert_eq!([ahead(100, 40, 900), ahead(100, 940, 900)], [60, -40]);
    }
}
