//! What `simulate` tells in the end.

use std::collections::BTreeMap;

use domain::Outcome;
use serde::Serialize;
use simulate::sale::{Plan, Sale};
use simulate::sender::Sent;
use store::reports::Verification;

use super::applied::Applied;
use super::losses::Loss;
use super::numbers::{Milliseconds, grouped, per_second, rate};
use crate::output;

/// So many losses and violations are shown: the first few tell the story.
const SHOWN: usize = 10;

pub(super) struct Report<'a> {
    pub(super) sale: &'a Sale,
    pub(super) plan: &'a Plan,
    pub(super) sent: &'a Sent,
    pub(super) checked: Option<&'a Checked>,
}

/// What the store showed.
pub(super) struct Checked {
    pub(super) applied: Applied,
    /// From the first webhook sent to the last one applied.
    pub(super) seconds: f64,
    pub(super) losses: Vec<Loss>,
    pub(super) verified: Verification,
}

#[derive(Serialize)]
struct Json<'a> {
    ok: bool,
    platform: &'static str,
    seed: u64,
    orders: usize,
    webhooks: usize,
    /// Of the webhooks, each once.
    topics: BTreeMap<&'static str, usize>,
    sent: usize,
    answers: &'a BTreeMap<u16, u64>,
    broken: u64,
    timeouts: u64,
    refused: usize,
    given_up: usize,
    seconds: f64,
    acks_per_second: f64,
    ack_ms: Milliseconds,
    applied: Option<AppliedJson<'a>>,
}

#[derive(Serialize)]
struct AppliedJson<'a> {
    complete: bool,
    outcomes: &'a BTreeMap<Outcome, i64>,
    seconds: f64,
    /// `null`: not all was applied, so there is no speed of it.
    orders_per_second: Option<f64>,
    lost: usize,
    violations: Vec<String>,
}

impl Report<'_> {
    /// Everything was accepted, and if the store was looked at, it holds it and all promises.
    pub(super) fn is_fine(&self) -> bool {
        self.is_delivered() && self.checked.is_none_or(Checked::is_fine)
    }

    fn is_delivered(&self) -> bool {
        self.sent.accepted.len() == self.plan.sends.len()
    }

    pub(super) fn print(&self, json: bool) -> anyhow::Result<()> {
        if json {
            return output::json(&self.json());
        }
        let rows = self.rows().into_iter().map(|(what, number)| vec![what, number]);
        output::table(&["simulated sale", ">"], rows);
        for line in self.troubles() {
            outln!("✗ {line}");
        }
        if self.checked.is_some() && self.is_fine() {
            outln!("✓ {}", self.praise());
        }
        Ok(())
    }

    /// What a check found that found nothing wrong.
    fn praise(&self) -> String {
        let accepted = self.sent.acceptances();
        let nameless = self.plan.nameless(accepted.keys());
        let named = grouped(accepted.len() - nameless);
        let counted = match nameless {
            0 => String::new(),
            _ => format!(", {} that have no name are counted", grouped(nameless)),
        };
        format!(
            "all {named} webhooks that were answered 200 are in the store{counted}, and verify \
             finds nothing wrong"
        )
    }

    fn rows(&self) -> Vec<(String, String)> {
        let sent = self.sent;
        let ack = Milliseconds::of(&sent.latency);
        let mut rows = vec![
            ("platform".to_owned(), self.sale.channel.as_str().to_owned()),
            ("seed".to_owned(), self.sale.seed.to_string()),
            ("orders".to_owned(), grouped(self.plan.orders.len())),
            ("webhooks sent".to_owned(), grouped(self.plan.sends.len())),
            ("  of them duplicates".to_owned(), grouped(self.plan.duplicates())),
        ];
        let topics = self.plan.topics().into_iter();
        rows.extend(topics.map(|(topic, n)| (format!("  {topic}"), grouped(n))));
        let answers = sent.answers.iter();
        rows.extend(answers.map(|(status, n)| (format!("answered {status}"), grouped(n))));
        rows.push(("connections refused or broken".to_owned(), grouped(sent.broken)));
        rows.push(("no answer in time".to_owned(), grouped(sent.timeouts)));
        rows.push(("200s per second".to_owned(), rate(sent.accepted_per_second())));
        let latencies =
            [("p50", ack.p50), ("p99", ack.p99), ("p99.9", ack.p99_9), ("max", ack.max)];
        rows.extend(latencies.map(|(name, ms)| (format!("ack {name}, ms"), format!("{ms:.2}"))));
        let Some(checked) = self.checked else { return rows };
        let outcomes = checked.applied.outcomes.iter().filter(|(_, count)| **count != 0);
        rows.extend(outcomes.map(|(outcome, n)| (format!("outcome {outcome}"), grouped(n))));
        let orders = self.orders_per_second(checked).map(rate);
        rows.extend(orders.map(|rate| ("orders per second, sent to applied".to_owned(), rate)));
        rows
    }

    fn orders_per_second(&self, checked: &Checked) -> Option<f64> {
        let speed = per_second(self.plan.orders.len(), checked.seconds);
        (self.is_delivered() && checked.is_applied()).then_some(speed)
    }

    fn troubles(&self) -> Vec<String> {
        let sent = self.sent;
        let mut troubles = Vec::new();
        if let Some((_, status)) = sent.refused.first() {
            let hint = match status {
                401 => "; does --secret fit the shop's entry?",
                404 => "; does the receiving side's shops file name the shop?",
                _ => "",
            };
            let count = grouped(sent.refused.len());
            troubles.push(format!("{count} were refused with {status}{hint}"));
        }
        if !sent.given_up.is_empty() {
            let count = grouped(sent.given_up.len());
            troubles.push(format!("{count} were not accepted, however often they were sent"));
        }
        troubles.extend(self.checked.iter().flat_map(|checked| checked.troubles()));
        troubles
    }

    fn json(&self) -> Json<'_> {
        let sent = self.sent;
        Json {
            ok: self.is_fine(),
            platform: self.sale.channel.as_str(),
            seed: self.sale.seed,
            orders: self.plan.orders.len(),
            webhooks: self.plan.webhooks.len(),
            topics: self.plan.topics(),
            sent: self.plan.sends.len(),
            answers: &sent.answers,
            broken: sent.broken,
            timeouts: sent.timeouts,
            refused: sent.refused.len(),
            given_up: sent.given_up.len(),
            seconds: sent.elapsed.as_secs_f64(),
            acks_per_second: sent.accepted_per_second(),
            ack_ms: Milliseconds::of(&sent.latency),
            applied: self.checked.map(|checked| AppliedJson {
                complete: checked.applied.complete,
                outcomes: &checked.applied.outcomes,
                seconds: checked.seconds,
                orders_per_second: self.orders_per_second(checked),
                lost: checked.losses.len(),
                violations: checked
                    .verified
                    .violations
                    .iter()
                    .map(|one| format!("{} {}", one.promise, one.detail))
                    .collect(),
            }),
        }
    }
}

impl Checked {
    /// All of it was decided, and none of it died.
    fn is_applied(&self) -> bool {
        self.applied.complete && self.applied.of(Outcome::Dead) == 0
    }

    fn is_fine(&self) -> bool {
        self.is_applied() && self.losses.is_empty() && self.verified.violations.is_empty()
    }

    fn troubles(&self) -> Vec<String> {
        let mut troubles = Vec::new();
        if !self.applied.complete {
            let decided = grouped(self.applied.decided());
            troubles.push(format!("not all is applied: {decided} deliveries are, then it stopped"));
        }
        let dead = self.applied.of(Outcome::Dead);
        if dead != 0 {
            let count = grouped(dead);
            troubles.push(format!("{count} are dead letters; `onhand dead list` shows why"));
        }
        if !self.losses.is_empty() {
            troubles.push(format!("{} answered 200 are lost", grouped(self.losses.len())));
        }
        troubles.extend(self.losses.iter().take(SHOWN).map(|loss| {
            let Loss { webhook, answered, in_store } = loss;
            format!("  {webhook}: answered 200 {answered} times, in the store {in_store} times")
        }));
        let violations = self.verified.violations.iter().take(SHOWN);
        troubles.extend(violations.map(|one| format!("{}: {}", one.promise, one.detail)));
        troubles
    }
}
