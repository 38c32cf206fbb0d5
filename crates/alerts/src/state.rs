//! What is to be told, and when: each matter once when it has lasted a little, again after some
//! hours while it lasts, and once when it has been over for a little.
//!
//! A state machine without a clock or IO. What is due is asked again until it is [`Alerts::told`], so a
//! post that failed is made up for by the next, which says how things are then: what came and went
//! meanwhile is never posted. What is not known begins nothing and ends nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use operate::health::{Matter, Verdict};

/// How often that which lasts is told: what stops the work, and what waits for somebody.
const REMIND_URGENT: Duration = Duration::from_secs(4 * 60 * 60);
const REMIND: Duration = Duration::from_secs(24 * 60 * 60);

/// Where each matter stands. Moments count from 1970, by a clock that only goes forward.
#[derive(Clone, Debug)]
pub struct Alerts {
    /// How long something must be wrong, or right again, before it is told.
    patience: Duration,
    matters: BTreeMap<Matter, State>,
    /// Of which something was told that is not kept yet.
    unkept: BTreeSet<Matter>,
}

#[derive(Clone, Debug)]
struct State {
    /// As it was last said to be wrong; empty where only another process saw it so far.
    text: String,
    began: Duration,
    /// `None`: nobody was told yet.
    told: Option<Duration>,
    /// It is right again since.
    right: Option<Duration>,
}

/// A matter that was told and is not over: what outlives a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    pub matter: Matter,
    pub began: Duration,
    pub told: Duration,
}

/// What is to be told now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notice {
    pub begun: Vec<(Matter, String)>,
    /// And for how long.
    pub lasting: Vec<(Matter, String, Duration)>,
    pub over: Vec<Matter>,
    /// What is wrong besides, and was told before.
    pub others: usize,
}

impl Alerts {
    pub fn new(patience: Duration) -> Self {
        Self { patience, matters: BTreeMap::new(), unkept: BTreeSet::new() }
    }

    /// Goes on from what another process told, who may have done so after this one began to look.
    pub fn go_on(&mut self, before: &[Told]) {
        for Told { matter, began, told } in before {
            let state = self.matters.entry(*matter).or_insert_with(|| State::new(*began));
            state.began = state.began.min(*began);
            state.told = state.told.max(Some(*told));
        }
    }

    /// What of all that was told is not kept yet: what is not over, and what is.
    pub fn unkept(&self) -> (Vec<Told>, Vec<Matter>) {
        let told = |matter: &Matter| {
            let State { began, told, .. } = self.matters.get(matter)?;
            told.map(|told| Told { matter: *matter, began: *began, told })
        };
        let (mut lasting, mut over) = (Vec::new(), Vec::new());
        for matter in &self.unkept {
            match told(matter) {
                Some(told) => lasting.push(told),
                None => over.push(*matter),
            }
        }
        (lasting, over)
    }

    /// All of it is.
    pub fn kept(&mut self) {
        self.unkept.clear();
    }

    /// Takes note of how things are.
    pub fn look(&mut self, verdict: &Verdict, now: Duration) {
        for todo in &verdict.todo {
            let state = self.matters.entry(todo.matter).or_insert_with(|| State::new(now));
            state.text.clone_from(&todo.text);
        }
        let is_right = |matter: &Matter| {
            !verdict.unknown.contains(matter) && !verdict.todo.iter().any(|it| it.matter == *matter)
        };
        self.matters.retain(|matter, state| {
            if is_right(matter) {
                state.right.get_or_insert(now);
            } else {
                state.right = None;
            }
            // What nobody was told of was a blip.
            state.told.is_some() || state.right.is_none()
        });
    }

    /// What is to be told, if anything is.
    pub fn due(&self, now: Duration) -> Option<Notice> {
        let mut notice = Notice::default();
        let long = |since: Duration, least: Duration| now.saturating_sub(since) >= least;
        for (matter, state) in &self.matters {
            match (state.told, state.right) {
                (_, Some(right)) if long(right, self.patience) => notice.over.push(*matter),
                (None, _) if long(state.began, self.patience) => {
                    notice.begun.push((*matter, state.text.clone()));
                }
                (Some(told), None)
                    if long(told, remind_after(*matter)) && !state.text.is_empty() =>
                {
                    let lasts = now.saturating_sub(state.began);
                    notice.lasting.push((*matter, state.text.clone(), lasts));
                }
                // What only a process before this one saw may be what nobody looks at any more.
                (Some(_), _) if !state.text.is_empty() => notice.others += 1,
                _ => {}
            }
        }
        let is_due =
            !(notice.begun.is_empty() && notice.lasting.is_empty() && notice.over.is_empty());
        is_due.then_some(notice)
    }

    /// `notice` has reached whom it is for.
    pub fn told(&mut self, notice: &Notice, now: Duration) {
        for matter in &notice.over {
            self.matters.remove(matter);
            self.unkept.insert(*matter);
        }
        let begun = notice.begun.iter().map(|(matter, _)| matter);
        for matter in begun.chain(notice.lasting.iter().map(|(matter, _, _)| matter)) {
            if let Some(state) = self.matters.get_mut(matter) {
                state.told = Some(now);
                self.unkept.insert(*matter);
            }
        }
    }
}

impl State {
    fn new(began: Duration) -> Self {
        Self { text: String::new(), began, told: None, right: None }
    }
}

impl Notice {
    /// A line for each.
    pub fn text(&self, name: &str) -> String {
        let begun = self.begun.iter().map(|(_, text)| text.clone());
        let lasting = self
            .lasting
            .iter()
            .map(|(_, text, lasts)| format!("Still, for {}: {text}", hours(*lasts)));
        let over = self.over.iter().map(|matter| over(*matter).to_owned());
        let mut lines: Vec<String> = begun.chain(lasting).chain(over).collect();
        if !self.over.is_empty() && self.begun.is_empty() && self.lasting.is_empty() {
            lines.push(match self.others {
                0 => "All is well again.".to_owned(),
                1 => "One other thing still waits.".to_owned(),
                several => format!("{several} other things still wait."),
            });
        }
        format!("{name}: {}", lines.join("\n"))
    }
}

fn remind_after(matter: Matter) -> Duration {
    match matter {
        Matter::Database
        | Matter::Violations
        | Matter::Queue
        | Matter::Standstill
        | Matter::Backlog => REMIND_URGENT,
        Matter::Paused
        | Matter::Dead
        | Matter::Silent
        | Matter::Privacy
        | Matter::Short
        | Matter::Drift
        | Matter::BelowZero
        | Matter::Unverified
        | Matter::Payments => REMIND,
    }
}

fn over(matter: Matter) -> &'static str {
    match matter {
        Matter::Database => "The database answers again.",
        Matter::Violations => "Every promise holds again.",
        Matter::Queue => "The queue answers again.",
        Matter::Standstill => "What waits is applied again.",
        Matter::Paused => "Nothing is paused any more.",
        Matter::Backlog => "Workers have caught up with the queue.",
        Matter::Dead => "No dead letter waits any more.",
        Matter::Silent => "No shop is unusually silent any more.",
        Matter::Privacy => "No request of a customer waits any more.",
        Matter::Short => "No order is short any more.",
        Matter::Drift => "No platform would sell what is not there any more.",
        Matter::BelowZero => "No item is below zero any more.",
        Matter::Unverified => "The promises are checked again.",
        Matter::Payments => "No payment waits for its order any more.",
    }
}

fn hours(lasts: Duration) -> String {
    match lasts.as_secs() / 3_600 {
        hours @ ..48 => format!("{hours} hours"),
        hours => format!("{} days", hours / 24),
    }
}

#[cfg(test)]
mod tests;
