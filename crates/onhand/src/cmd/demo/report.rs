//! What the demo tells in the end: a few numbers, and one line for each promise.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::Outcome;
use queue::QueueStats;
use serde::Serialize;
use simulate::sale::Plan;
use simulate::sender::Sent;
use store::reports::Verification;

use super::ending::Ending;
use crate::cmd::simulate::applied::Applied;
use crate::cmd::simulate::losses::Loss;
use crate::cmd::simulate::numbers::{Milliseconds, grouped, per_second, rate};
use crate::output;

/// So many details of a broken promise are shown.
const SHOWN: usize = 5;

/// The kill in the middle.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crash {
    /// Answers 200 before it.
    pub(super) accepted: usize,
    /// Until the new process was ready.
    pub(super) down: Duration,
}

/// Everything that is known in the end.
pub(super) struct Facts {
    pub(super) seed: u64,
    pub(super) plan: Arc<Plan>,
    pub(super) sent: Sent,
    pub(super) crash: Option<Crash>,
    pub(super) applied: Applied,
    /// From the first webhook sent to the last one applied, the crash included.
    pub(super) seconds: f64,
    pub(super) losses: Vec<Loss>,
    pub(super) verified: Verification,
    pub(super) ending: Ending,
    pub(super) queue: QueueStats,
    pub(super) dead_letters: i64,
}

/// A promise, whether it held, and the number behind it.
#[derive(Clone, Debug, Serialize)]
struct Line {
    promise: &'static str,
    held: bool,
    evidence: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    broken_by: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct Json {
    ok: bool,
    seed: u64,
    orders: usize,
    received: usize,
    outcomes: BTreeMap<Outcome, i64>,
    units_left: i64,
    oversold: i64,
    ack_ms: Milliseconds,
    orders_per_second: f64,
    seconds: f64,
    promises: Vec<Line>,
}

impl Facts {
    pub(super) fn is_fine(&self) -> bool {
        self.lines().iter().all(|line| line.held)
    }

    pub(super) fn print(&self) {
        output::table(&["flash sale", ">"], self.rows().into_iter().map(|(a, b)| vec![a, b]));
        for line in self.lines() {
            let mark = if line.held { "✓" } else { "✗" };
            outln!("{mark} {:26}{}", line.promise, line.evidence);
            for detail in line.broken_by.iter().take(SHOWN) {
                outln!("       {detail}");
            }
        }
        let verified = match self.verified.violations.len() {
            0 => "no violation".to_owned(),
            found => format!("{} violations", grouped(found)),
        };
        let Verification { orders, ledger, webhooks, .. } = &self.verified;
        outln!(
            "\nverify: {verified} in {} orders, {} ledger rows, {} webhooks. Seed {}.",
            grouped(orders),
            grouped(ledger),
            grouped(webhooks),
            self.seed
        );
    }

    pub(super) fn json(&self) -> Json {
        Json {
            ok: self.is_fine(),
            seed: self.seed,
            orders: self.plan.orders.len(),
            received: self.sent.accepted.len(),
            outcomes: self.applied.outcomes.clone(),
            units_left: self.ending.on_hand - self.ending.committed,
            oversold: self.ending.oversold,
            ack_ms: Milliseconds::of(&self.sent.latency),
            orders_per_second: self.orders_per_second(),
            seconds: self.seconds,
            promises: self.lines(),
        }
    }

    fn orders_per_second(&self) -> f64 {
        per_second(self.plan.orders.len(), self.seconds)
    }

    fn rows(&self) -> Vec<(String, String)> {
        let ack = Milliseconds::of(&self.sent.latency);
        let ending = &self.ending;
        let outcome = |outcome| grouped(self.applied.of(outcome));
        [
            ("orders", grouped(self.plan.orders.len())),
            ("webhooks received", grouped(self.sent.accepted.len())),
            ("  applied", outcome(Outcome::Applied)),
            ("  unchanged: nothing left to do", outcome(Outcome::Unchanged)),
            ("  duplicates absorbed", outcome(Outcome::Duplicate)),
            ("  superseded: older than what was known", outcome(Outcome::Superseded)),
            ("  short: more asked than there was", outcome(Outcome::Short)),
            ("hot units: asked for", grouped(ending.scarce_ordered)),
            ("  there", grouped(ending.scarce_opening)),
            ("  left", grouped(ending.scarce_left)),
            ("units committed, all items", grouped(ending.committed)),
            ("  left", grouped(ending.on_hand - ending.committed)),
            ("  oversold", grouped(ending.oversold)),
            ("ack p50, ms", format!("{:.1}", ack.p50)),
            ("ack p99, ms", format!("{:.1}", ack.p99)),
            ("orders per second, crash included", rate(self.orders_per_second())),
        ]
        .map(|(what, number)| (what.to_owned(), number))
        .into()
    }

    fn lines(&self) -> Vec<Line> {
        let Verification { stock, ledger, .. } = self.verified;
        let ending = &self.ending;
        let oversold = (ending.oversold != 0).then(|| "more is committed than there is".to_owned());
        let mut lines = vec![
            self.durable(),
            self.line(
                "P2 exactly once in effect",
                format!(
                    "{} orders hold what they owe, {} cancelled ones nothing; \
                     {} repeats did nothing",
                    grouped(ending.served),
                    grouped(ending.cancelled),
                    grouped(self.applied.of(Outcome::Duplicate))
                ),
                vec![],
            ),
            self.line(
                "P3 never oversold",
                format!(
                    "{} oversold of {} units asked of {} hot items that had {}",
                    ending.oversold,
                    grouped(ending.scarce_ordered),
                    ending.scarce,
                    grouped(ending.scarce_opening)
                ),
                oversold.into_iter().collect(),
            ),
            self.line(
                "P4 all or nothing",
                format!("{} short orders hold not a single unit", grouped(ending.short)),
                vec![],
            ),
            self.line(
                "P5 newest state wins",
                format!(
                    "{} late old bodies sent, {} webhooks superseded; \
                     every order shows its newest state",
                    grouped(self.plan.late.len()),
                    grouped(self.applied.of(Outcome::Superseded))
                ),
                vec![],
            ),
            self.nothing_vanished(),
            self.line(
                "P7 every unit explained",
                format!(
                    "{} ledger rows add up to {} stock rows, and orders hold what is committed",
                    grouped(ledger),
                    grouped(stock)
                ),
                vec![],
            ),
        ];
        let held = lines.iter().all(|line| line.held);
        lines.push(self.survived(held));
        lines
    }

    /// A promise holds if nothing here, in the comparison of orders, or in verify says otherwise.
    fn line(&self, promise: &'static str, evidence: String, mut broken_by: Vec<String>) -> Line {
        let name = &promise[..2];
        let compared = self.ending.wrong.iter().filter(|(of, _)| *of == name);
        broken_by.extend(compared.map(|(_, what)| what.clone()));
        let verified = self.verified.violations.iter().filter(|one| one.promise == name);
        broken_by.extend(verified.map(|one| one.detail.clone()));
        Line { promise, held: broken_by.is_empty(), evidence, broken_by }
    }

    fn durable(&self) -> Line {
        let lost = self.losses.iter().map(|loss| {
            let Loss { webhook, answered, in_store } = loss;
            format!("webhook {webhook}: answered 200 {answered} times, {in_store} in the store")
        });
        let evidence = format!(
            "{} answers 200, {} of them not in the store",
            grouped(self.sent.accepted.len()),
            self.losses.len()
        );
        self.line("P1 durable before 200", evidence, lost.collect())
    }

    fn nothing_vanished(&self) -> Line {
        let applied = &self.applied;
        let accepted = i64::try_from(self.sent.accepted.len()).unwrap_or(i64::MAX);
        let evidence = format!(
            "{} deliveries have an outcome, {} of them with an answer that never arrived; \
             {} dead letters, queue {}",
            grouped(applied.decided()),
            grouped((applied.decided() - accepted).max(0)),
            self.dead_letters,
            if self.is_drained() { "empty" } else { "not empty" }
        );
        let mut broken = Vec::new();
        if !applied.complete || !self.is_drained() {
            broken.push("some deliveries have no outcome, or are still queued".to_owned());
        }
        // A sale without a mistake in it has nothing that cannot be applied.
        if self.dead_letters != 0 || applied.of(Outcome::Ignored) != 0 {
            broken.push("webhooks of the sale died or were ignored".to_owned());
        }
        let (refused, given_up) = (self.sent.refused.len(), self.sent.given_up.len());
        if refused + given_up > 0 {
            broken.push(format!("{refused} webhooks were refused, {given_up} never accepted"));
        }
        self.line("P6 nothing vanishes", evidence, broken)
    }

    fn is_drained(&self) -> bool {
        self.queue.ready == 0 && self.queue.delayed == 0 && self.queue.unacked.unwrap_or(0) == 0
    }

    fn survived(&self, others_held: bool) -> Line {
        let (evidence, broken) = match self.crash {
            Some(Crash { accepted, down }) => {
                let again = self.sent.broken + self.sent.timeouts;
                let evidence = format!(
                    "kill -9 after {} answers, serving again {:.1} s later; {} requests broke and \
                     were sent again; then all of the above was checked",
                    grouped(accepted),
                    down.as_secs_f64(),
                    grouped(again)
                );
                let broken = (!others_held).then(|| "one of the above did not hold".to_owned());
                (evidence, broken.into_iter().collect())
            }
            None => ("the sale was over before the kill".to_owned(), vec!["not shown".to_owned()]),
        };
        self.line("P8 any process may die", evidence, broken)
    }
}
