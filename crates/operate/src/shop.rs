//! How a shop is doing: what came of it lately, whether it is unusually silent, and which of its
//! secrets signs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::{ShopId, Timestamp};
use platforms::{Shop, Shops};
use store::activity::{Hour, ShopSigner};
use store::{Activity, AnyStore, StoreError};

use crate::shared::Shared;

/// Webhooks that would have come by now, as they do on other days; with fewer a silence is chance.
const MISSED_MIN: f64 = 10.0;

/// Days without which nothing is known of what is usual.
const DAYS_MIN: i64 = 3;

/// Days that a silence is held against.
const DAYS: i64 = 7;

/// So much of a long silence is held against other days: what is kept of these has an end.
const HELD_AGAINST_MAX: i64 = 3 * DAY;

const DAY: i64 = DAY_HOURS * Hour::MICROS;
const DAY_HOURS: i64 = 24;

/// How old the latest news may be: it is of many rows, and asked for all the time.
const AGE_MAX: Duration = Duration::from_secs(30);

/// How one shop of the file is doing.
#[derive(Clone, Debug, PartialEq)]
pub struct Health {
    pub shop: ShopId,
    /// When the last webhook came; of what workers have applied.
    pub last: Option<Timestamp>,
    /// Within the last 60 minutes, about, and 24 hours.
    pub last_hour: i64,
    pub last_day: i64,
    pub silence: Option<Silence>,
    /// In the order of the file.
    pub signers: Vec<Signer>,
}

/// No webhook came, and it is not usual that none does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Silence {
    pub since: Timestamp,
    /// So many would have come on another day.
    pub missed: i64,
}

/// One secret of a shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// Where the file has it from; never the secret.
    pub source: String,
    pub last_at: Option<Timestamp>,
}

impl Health {
    /// The secret that signed last, if it is not the first of several: the sender does not use the
    /// newest yet, if that stands first.
    pub fn old_signer(&self) -> Option<&Signer> {
        let last = self.signers.iter().max_by_key(|signer| signer.last_at)?;
        let first = self.signers.first()?;
        (last.last_at.is_some() && last.last_at != first.last_at).then_some(last)
    }
}

/// How the shops were doing a moment ago, read once for everybody who asks. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Latest(Shared<Arc<Vec<Health>>>);

impl Latest {
    pub async fn get(
        &self,
        store: &AnyStore,
        shops: &Shops,
    ) -> Result<Arc<Vec<Health>>, StoreError> {
        let look = async |_| Ok(Arc::new(health(store, shops, crate::now()).await?));
        self.0.try_get(AGE_MAX, look).await
    }
}

/// How every shop of the file is doing, in its order.
pub async fn health(
    store: &AnyStore,
    shops: &Shops,
    now: Timestamp,
) -> Result<Vec<Health>, StoreError> {
    let mut hours: BTreeMap<ShopId, BTreeMap<Hour, i64>> = BTreeMap::new();
    for row in store.shop_hours().await? {
        hours.entry(row.shop).or_default().insert(row.hour, row.webhooks);
    }
    let mut signers: BTreeMap<ShopId, Vec<ShopSigner>> = BTreeMap::new();
    for row in store.shop_signers().await? {
        signers.entry(row.shop.clone()).or_default().push(row);
    }
    let of = |shop: &Shop| {
        let (name, none) = (&shop.name, BTreeMap::new());
        look(shop, hours.get(name).unwrap_or(&none), signers.get(name).map_or(&[], |it| it), now)
    };
    Ok(shops.iter().map(of).collect())
}

fn look(shop: &Shop, hours: &BTreeMap<Hour, i64>, signed: &[ShopSigner], now: Timestamp) -> Health {
    // Older programs noted also what nobody signed.
    let own = signed.iter().filter(|signer| !signer.secret.is_empty());
    let last = own.map(|signer| signer.last_at).max();
    let within = |hours_back| {
        let from = Timestamp(now.0.saturating_sub(hours_back * Hour::MICROS));
        whole(count(hours, from, now, now))
    };
    let signer = |source: &String| {
        let signer = signed.iter().find(|signer| signer.secret == *source);
        Signer { source: source.clone(), last_at: signer.map(|signer| signer.last_at) }
    };
    Health {
        shop: shop.name.clone(),
        last,
        last_hour: within(1),
        last_day: within(DAY_HOURS),
        silence: last.and_then(|last| silence(hours, last, now)),
        signers: shop.secret_sources.iter().map(signer).collect(),
    }
}

/// Whether it is unusual that nothing came since `last`: on most of the last days before, and on the
/// same day of the week (shops rest on Sundays), so many came in the same time of the day that none is
/// no chance. It does not become usual by lasting: only days from before it began are looked at. Of a
/// shop that was known for less than [`DAYS_MIN`] days nobody knows what is usual.
fn silence(hours: &BTreeMap<Hour, i64>, last: Timestamp, now: Timestamp) -> Option<Silence> {
    let known_since = hours.first_key_value().map(|(hour, _)| hour.start())?;
    let (known, silent) = (last.0 - known_since.0, now.0 - last.0);
    // Not more than was seen on as many days as are needed.
    let length = silent.min(HELD_AGAINST_MAX).min(known - DAYS_MIN * DAY);
    if length <= 0 {
        return None;
    }
    let from = now.0 - length;
    let on = |days: i64| {
        let (from, to) = (Timestamp(from - days * DAY), Timestamp(now.0 - days * DAY));
        (from >= known_since).then(|| count(hours, from, to, now))
    };
    let first = silent / DAY + 1;
    let mut days: Vec<f64> = (first..first + DAYS).filter_map(on).collect();
    days.sort_by(f64::total_cmp);
    let usual = days[(days.len() - 1) / 2];
    let week_ago = on((first - 1) / DAYS * DAYS + DAYS).unwrap_or(usual);
    let missed = usual.min(week_ago);
    let in_all = missed * float(silent) / float(length);
    (in_all >= MISSED_MIN).then(|| Silence { since: last, missed: whole(in_all) })
}

/// How many came in this time, as if those of an hour had come evenly; those of this very hour came
/// until now.
fn count(hours: &BTreeMap<Hour, i64>, from: Timestamp, to: Timestamp, now: Timestamp) -> f64 {
    let touched = hours.range(Hour::of(from)..=Hour::of(to));
    touched
        .map(|(hour, webhooks)| {
            let start = hour.start().0;
            let over = now.0.min(start + Hour::MICROS);
            let (begin, end) = (from.0.max(start), to.0.min(over));
            share(*webhooks, end - begin, over - start)
        })
        .sum()
}

/// Of webhooks that came in `of` microseconds, those of `micros`.
fn share(webhooks: i64, micros: i64, of: i64) -> f64 {
    float(webhooks) * float(micros.max(0)) / float(of.max(1))
}

#[expect(clippy::cast_precision_loss, reason = "counts and hours are far below 2^52")]
fn float(number: i64) -> f64 {
    number as f64
}

#[expect(clippy::cast_possible_truncation, reason = "counts are far below 2^52")]
fn whole(number: f64) -> i64 {
    number.round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = Hour::MICROS;

    /// A Wednesday, 12:00.
    const NOON: i64 = (20_000 * 24 + 12) * HOUR;

    /// `rate` webhooks in every hour of the last `days` days in which `open` says so (days back, hour
    /// of the day), until `silent` hours before noon.
    fn past(days: i64, rate: i64, open: impl Fn(i64, i64) -> bool) -> BTreeMap<Hour, i64> {
        let noon = Hour::of(Timestamp(NOON)).0;
        let from = noon - days * 24;
        (from..noon)
            .filter(|hour| open((noon - hour + 11).div_euclid(24), hour.rem_euclid(24)))
            .map(|hour| (Hour(hour), rate))
            .collect()
    }

    fn is_silent(mut hours: BTreeMap<Hour, i64>, silent_hours: i64) -> Option<i64> {
        let last = Timestamp(NOON - silent_hours * HOUR);
        hours.retain(|hour, _| hour.start() < last);
        silence(&hours, last, Timestamp(NOON)).map(|silence| silence.missed)
    }

    #[test]
    fn a_busy_shop_is_missed_soon_and_a_slow_one_late() {
        assert_eq!(is_silent(past(8, 100, |_, _| true), 1), Some(100));
        assert_eq!(is_silent(past(8, 100, |_, _| true), 0), None);
        assert_eq!(is_silent(past(8, 1, |_, _| true), 5), None, "five would have come");
        assert_eq!(is_silent(past(8, 1, |_, _| true), 20), Some(20));
    }

    #[test]
    fn nights_and_sundays_are_usual() {
        let by_day = |_, hour| (11..23).contains(&hour);
        assert_eq!(is_silent(past(8, 100, by_day), 13), Some(100), "since the shop opened");
        let late = |_, hour| (12..23).contains(&hour);
        assert_eq!(is_silent(past(8, 100, late), 13), None, "it opens at noon");
        // Seven days ago it rested, too.
        assert_eq!(is_silent(past(8, 100, |back, _| back != 7), 12), None);
    }

    #[test]
    fn one_outage_in_the_week_does_not_become_the_usual() {
        assert_eq!(is_silent(past(8, 100, |back, _| back != 3), 2), Some(200));
    }

    #[test]
    fn a_silence_does_not_become_usual_by_lasting() {
        // What is kept: twelve days up to the last webhook.
        let after_days = |rate, silent: i64| {
            let mut hours = past(12 + silent, rate, |_, _| true);
            hours.retain(|hour, _| hour.start().0 >= NOON - (silent + 12) * 24 * HOUR);
            is_silent(hours, silent * 24)
        };
        for days in [1, 2, 3, 4, 5, 6, 7, 8, 13, 14, 15, 30, 400] {
            assert_eq!(after_days(100, days), Some(days * 2_400), "{days} days");
            assert_eq!(after_days(1, days), Some(days * 24), "{days} days");
        }
        // A shop of five days, silent for a few.
        for days in 1..9 {
            let hours = past(5 + days, 100, |_, _| true);
            assert_eq!(is_silent(hours, days * 24), Some(days * 2_400), "{days}");
        }
    }

    #[test]
    fn of_a_new_shop_nobody_knows_what_is_usual() {
        assert_eq!(is_silent(past(2, 1_000, |_, _| true), 5), None);
        assert_eq!(is_silent(BTreeMap::new(), 5), None);
    }

    #[test]
    fn the_hours_that_have_begun_count_by_their_part() {
        let hours = [(Hour(10), 60), (Hour(11), 120)].into();
        let at = |minutes: i64| Timestamp(10 * HOUR + minutes * HOUR / 60);
        let count = |from, to, now| whole(count(&hours, at(from), at(to), at(now)));
        assert_eq!(count(30, 90, 180), 30 + 60);
        assert_eq!(count(-60, 0, 180), 0);
        assert_eq!(count(30, 90, 90), 30 + 120, "all of this hour came by now");
        assert_eq!(count(60, 60, 60), 0);
    }

    #[test]
    fn an_old_secret_that_still_signs_is_told() {
        let signer = |source: &str, last_at: Option<i64>| Signer {
            source: source.to_owned(),
            last_at: last_at.map(Timestamp),
        };
        let old = |signers| {
            let health = Health {
                shop: ShopId::new("demo"),
                last: None,
                last_hour: 0,
                last_day: 0,
                silence: None,
                signers,
            };
            health.old_signer().map(|signer| signer.source.clone())
        };
        let (new, used) = (signer("env:NEW", Some(9)), signer("env:OLD", Some(10)));
        assert_eq!(old(vec![new.clone(), used.clone()]).as_deref(), Some("env:OLD"));
        assert_eq!(old(vec![used.clone(), new]), None);
        assert_eq!(old(vec![signer("env:NEW", None), used]).as_deref(), Some("env:OLD"));
        assert_eq!(old(vec![signer("env:NEW", None), signer("env:OLD", None)]), None);
    }
}
