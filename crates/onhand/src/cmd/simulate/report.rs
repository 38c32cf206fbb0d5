//! What `simulate` tells in the end.

use std::collections::BTreeMap;

use domain::Outcome;
use serde::Serialize;
use simulate::sale::Plan;
use simulate::sender::Sent;
use store::reports::Verification;

use super::applied::Applied;
use super::asked::Asked;
use super::expected::Expected;
use super::losses::Loss;
use super::numbers::{Milliseconds, grouped, per_second, rate};
use crate::output;

/// So many losses and violations are shown: the first few tell the story.
const SHOWN: usize = 10;

pub(super) struct Report<'a> {
    pub(super) asked: &'a Asked,
    pub(super) plan: &'a Plan,
    pub(super) sent: &'a Sent,
    pub(super) checked: Option<&'a Checked>,
}

/// What the store showed.
pub(super) struct Checked {
    pub(super) applied: Applied,
    pub(super) expected: Expected,
    /// From the first webhook sent to the last one applied.
    pub(super) seconds: f64,
    /// Answered 200 and not in the store: lost, if all was decided.
    pub(super) missing: Vec<Loss>,
    pub(super) verified: Verification,
}

#[derive(Serialize)]
struct Json<'a> {
    ok: bool,
    platform: &'static str,
    seed: u64,
    asked: &'a Asked,
    orders: usize,
    webhooks: usize,
    /// Of the webhooks, each once.
    topics: BTreeMap<&'static str, usize>,
    sent: usize,
    sent_per_second: f64,
    /// `null`: no rate was asked for.
    rate_reached: Option<bool>,
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
    /// `null`: not all was applied, so what is missing may still be on its way.
    lost: Option<usize>,
    /// Webhooks that were answered 200 and are not in the store yet; `null`: all was applied.
    not_applied: Option<usize>,
    /// Outcomes that this sale cannot have.
    troubles: Vec<String>,
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

    /// Tells whoever reads the numbers that they are of another rate than the one asked for.
    pub(super) fn warn(&self) {
        if let (Some(false), Some(asked)) = (self.asked.is_reached(self.sent), self.asked.rate) {
            eprintln!(
                "onhand: WARNING: --rate was not reached: {asked} webhooks a second were asked for, \
                 {:.1} were sent, and the last one {:.1} s late; all latencies count from when a \
                 webhook was due. Ask for a lower --rate, or for more --connections than {}",
                self.sent.sent_per_second(),
                self.sent.behind(asked).as_secs_f64(),
                self.asked.connections
            );
        }
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
            ("platform".to_owned(), self.asked.platform.to_owned()),
            ("seed".to_owned(), self.asked.seed.to_string()),
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
            platform: self.asked.platform,
            seed: self.asked.seed,
            asked: self.asked,
            orders: self.plan.orders.len(),
            webhooks: self.plan.webhooks.len(),
            topics: self.plan.topics(),
            sent: self.plan.sends.len(),
            sent_per_second: sent.sent_per_second(),
            rate_reached: self.asked.is_reached(sent),
            answers: &sent.answers,
            broken: sent.broken,
            timeouts: sent.timeouts,
            refused: sent.refused.len(),
            given_up: sent.given_up.len(),
            seconds: sent.elapsed.as_secs_f64(),
            acks_per_second: sent.accepted_per_second(),
            ack_ms: Milliseconds::of(&sent.latency),
            applied: self.checked.map(|checked| self.applied_json(checked)),
        }
    }

    fn applied_json<'b>(&self, checked: &'b Checked) -> AppliedJson<'b> {
        let (complete, missing) = (checked.applied.complete, checked.missing.len());
        let violations = checked.verified.violations.iter();
        AppliedJson {
            complete,
            outcomes: &checked.applied.outcomes,
            seconds: checked.seconds,
            orders_per_second: self.orders_per_second(checked),
            lost: complete.then_some(missing),
            not_applied: (!complete).then_some(missing),
            troubles: checked.expected.troubles(&checked.applied),
            violations: violations.map(|one| format!("{} {}", one.promise, one.detail)).collect(),
        }
    }
}

impl Checked {
    /// All of it was decided, and none of it died.
    fn is_applied(&self) -> bool {
        self.applied.complete && self.applied.of(Outcome::Dead) == 0
    }

    fn is_fine(&self) -> bool {
        self.is_applied()
            && self.missing.is_empty()
            && self.expected.troubles(&self.applied).is_empty()
            && self.verified.violations.is_empty()
    }

    fn troubles(&self) -> Vec<String> {
        let mut troubles = Vec::new();
        let missing = grouped(self.missing.len());
        match self.applied.complete {
            true if self.missing.is_empty() => {}
            true => troubles.push(format!("{missing} answered 200 are lost")),
            false => troubles.push(format!(
                "not all is applied: {} deliveries are, then nothing more came, and {missing} \
                 webhooks that were answered 200 are not applied yet; `onhand status` shows what \
                 waits: is a worker running, and is nothing paused?",
                grouped(self.applied.decided())
            )),
        }
        troubles.extend(self.missing.iter().take(SHOWN).map(|loss| {
            let Loss { webhook, answered, in_store } = loss;
            format!("  {webhook}: answered 200 {answered} times, in the store {in_store} times")
        }));
        let dead = self.applied.of(Outcome::Dead);
        if dead != 0 {
            let count = grouped(dead);
            troubles.push(format!("{count} are dead letters; `onhand dead list` shows why"));
        }
        troubles.extend(self.expected.troubles(&self.applied));
        let violations = self.verified.violations.iter().take(SHOWN);
        troubles.extend(violations.map(|one| format!("{}: {}", one.promise, one.detail)));
        troubles
    }
}
