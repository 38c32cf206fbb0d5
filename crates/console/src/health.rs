//! Whether all is well, in plain words, and what to do if not.

use domain::Timestamp;
use queue::QueueStats;
use store::pages::ReasonRow;

use crate::view::{ago, grouped, link, prose};

/// Parcels in the queue beyond which workers do not keep up.
const BACKLOG: u64 = 1_000;

/// What the sentence rests on.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) queue: Result<QueueStats, String>,
    pub(crate) dead: Vec<ReasonRow>,
    pub(crate) unlinked_payments: i64,
    pub(crate) privacy_open: i64,
    /// Of the most urgent request.
    pub(crate) privacy_due: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) is_well: bool,
    pub(crate) sentence: String,
    pub(crate) todo: Vec<Todo>,
}

/// Something to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Todo {
    pub(crate) text: String,
    /// Where; empty: not in the console.
    pub(crate) link: String,
    pub(crate) link_text: &'static str,
}

impl Todo {
    pub(crate) fn prose(&self) -> Vec<(bool, String)> {
        prose(&self.text)
    }
}

pub(crate) fn look(facts: &Facts, now: Timestamp) -> Verdict {
    let todo: Vec<Todo> = [queue(facts), dead(facts, now), privacy(facts, now), payments(facts)]
        .into_iter()
        .flatten()
        .collect();
    let sentence = match todo.len() {
        0 => {
            "All is well: what came is applied or on its way, and nothing waits for you.".to_owned()
        }
        1 => "One thing waits for you.".to_owned(),
        several => format!("{several} things wait for you, the most urgent first."),
    };
    Verdict { is_well: todo.is_empty(), sentence, todo }
}

fn queue(facts: &Facts) -> Option<Todo> {
    let text = match &facts.queue {
        Err(error) => format!(
            "The queue cannot be asked ({error}). If it is away, webhooks are answered 503 and come \
             again: look at the broker, then at `onhand doctor`."
        ),
        Ok(stats) if stats.ready > BACKLOG => format!(
            "{} parcels wait in the queue: workers do not keep up, or none runs. Look at the \
             workers, and start another.",
            grouped(stats.ready)
        ),
        Ok(_) => return None,
    };
    Some(Todo { text, link: String::new(), link_text: "" })
}

fn dead(facts: &Facts, now: Timestamp) -> Option<Todo> {
    let most = facts.dead.first()?;
    let count: i64 = facts.dead.iter().map(|reason| reason.count).sum();
    let oldest = facts.dead.iter().map(|reason| reason.oldest).min()?;
    let what = if count == 1 { "webhook" } else { "webhooks" };
    let why = match &facts.dead[..] {
        [only] => only.reason.clone(),
        _ => format!("most: {}", most.reason),
    };
    let text = format!(
        "{} {what} could not be applied ({why}), the oldest {}. Mend the cause, then replay.",
        grouped(count),
        ago(now, oldest)
    );
    let link = link("/console/dead", &[("reason", &most.reason)]);
    Some(Todo { text, link, link_text: "Dead letters" })
}

fn privacy(facts: &Facts, now: Timestamp) -> Option<Todo> {
    let due = facts.privacy_due.filter(|_| facts.privacy_open > 0)?;
    let days = (due.0 - now.0) / 86_400_000_000;
    let when = match days {
        _ if due < now => "the first is overdue".to_owned(),
        0 => "the first today".to_owned(),
        days => format!("the first within {days} days"),
    };
    let text = format!(
        "{} requests of customers about their data wait for an answer, {when}: `onhand privacy \
         list`.",
        grouped(facts.privacy_open)
    );
    Some(Todo { text, link: String::new(), link_text: "" })
}

fn payments(facts: &Facts) -> Option<Todo> {
    (facts.unlinked_payments > 0).then(|| Todo {
        text: format!(
            "{} payments have had no order for a day: `onhand payment list --unlinked \
             --older-than 1d`.",
            grouped(facts.unlinked_payments)
        ),
        link: String::new(),
        link_text: "",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000_000;

    fn stats(ready: u64) -> Result<QueueStats, String> {
        Ok(QueueStats { ready, unacked: None, delayed: 0 })
    }

    fn facts(queue: Result<QueueStats, String>) -> Facts {
        Facts { queue, dead: Vec::new(), unlinked_payments: 0, privacy_open: 0, privacy_due: None }
    }

    fn said(facts: &Facts) -> Vec<String> {
        look(facts, Timestamp(10 * DAY)).todo.into_iter().map(|todo| todo.text).collect()
    }

    #[test]
    fn without_anything_to_do_all_is_well() {
        let verdict = look(&facts(stats(3)), Timestamp(0));
        assert!(verdict.is_well && verdict.todo.is_empty());
        assert!(verdict.sentence.starts_with("All is well"));
    }

    #[test]
    fn each_thing_to_do_is_said_with_what_helps() {
        let reason = |reason: &str, count, oldest| ReasonRow {
            reason: reason.to_owned(),
            count,
            oldest: Timestamp(oldest),
        };
        let facts = Facts {
            queue: stats(BACKLOG + 1),
            dead: vec![reason("unknown_sku", 1_200, 9 * DAY), reason("malformed", 1, 7 * DAY)],
            unlinked_payments: 2,
            privacy_open: 1,
            privacy_due: Some(Timestamp(9 * DAY)),
        };
        let said = said(&facts);
        assert_eq!(said.len(), 4);
        assert!(said[0].contains("1,001 parcels") && said[0].contains("start another"));
        assert!(said[1].contains("1,201 webhooks") && said[1].contains("unknown_sku"));
        assert!(said[1].contains("3 days ago") && said[1].contains("replay"));
        assert!(said[2].contains("overdue"));
        assert!(said[3].contains("--unlinked"));
    }

    #[test]
    fn a_queue_that_does_not_answer_is_said() {
        assert!(said(&facts(Err("refused".to_owned())))[0].contains("cannot be asked (refused)"));
    }
}
