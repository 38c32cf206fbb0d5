//! What became of many letters, or would, in one line.

use std::collections::BTreeMap;
use std::fmt;

use domain::Outcome;
use serde::Serialize;

use super::{DEAD, Replayed};

/// How many came to what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    outcomes: BTreeMap<String, u64>,
    /// Why those are dead that are.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    still_dead: BTreeMap<String, u64>,
}

/// Before the reasons of those that are dead, where a tally is one text.
const DEAD_OF: &str = "dead.";

/// For whoever goes on counting elsewhere.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcomes = self.outcomes.iter().map(|(name, count)| format!("{name}={count}"));
        let dead = self.still_dead.iter().map(|(name, count)| format!("{DEAD_OF}{name}={count}"));
        f.write_str(&outcomes.chain(dead).collect::<Vec<_>>().join(" "))
    }
}

impl Tally {
    pub fn add(&mut self, replayed: &Replayed) {
        *self.outcomes.entry(replayed.outcome.to_owned()).or_default() += 1;
        if replayed.is_dead() {
            *self.still_dead.entry(replayed.reason.unwrap_or(DEAD).to_owned()).or_default() += 1;
        }
    }

    /// One that was written by [`Display`](fmt::Display). What is none of its parts is left out.
    pub fn parse(text: &str) -> Self {
        let mut tally = Self::default();
        for (name, count) in text.split(' ').filter_map(|part| part.split_once('=')) {
            let Ok(count) = count.parse() else { continue };
            let (counts, name) = match name.strip_prefix(DEAD_OF) {
                Some(reason) => (&mut tally.still_dead, reason),
                None => (&mut tally.outcomes, name),
            };
            counts.insert(name.to_owned(), count);
        }
        tally
    }

    pub fn all(&self) -> u64 {
        self.outcomes.values().sum()
    }

    pub fn of(&self, outcome: &str) -> u64 {
        self.outcomes.get(outcome).copied().unwrap_or_default()
    }

    pub fn still_dead(&self) -> u64 {
        self.of(DEAD)
    }

    /// As "would apply 14, 3 unchanged, 1 superseded, 2 still dead: unknown_sku".
    pub fn would(&self) -> String {
        self.words("would apply")
    }

    /// As "applied 14, 3 unchanged".
    pub fn did(&self) -> String {
        self.words("applied")
    }

    fn words(&self, verb: &str) -> String {
        let applied = match self.of(Outcome::Applied.as_str()) {
            0 => "none".to_owned(),
            count => count.to_string(),
        };
        let mut parts = vec![format!("{verb} {applied}")];
        for outcome in [Outcome::Unchanged, Outcome::Superseded, Outcome::Short, Outcome::Ignored] {
            match self.of(outcome.as_str()) {
                0 => {}
                count => parts.push(format!("{count} {outcome}")),
            }
        }
        if self.still_dead() > 0 {
            parts.push(format!("{} still dead: {}", self.still_dead(), self.why()));
        }
        parts.join(", ")
    }

    /// The reasons, with how many each where there are several.
    fn why(&self) -> String {
        let one = self.still_dead.len() == 1;
        let reasons = self.still_dead.iter().map(|(reason, count)| match one {
            true => reason.clone(),
            false => format!("{count} {reason}"),
        });
        reasons.collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(all: &[(&'static str, Option<&'static str>, u64)]) -> Tally {
        let mut tally = Tally::default();
        for (outcome, reason, times) in all {
            let replayed = Replayed { outcome, reason: *reason, detail: None };
            (0..*times).for_each(|_| tally.add(&replayed));
        }
        tally
    }

    #[test]
    fn many_letters_are_told_in_one_line() {
        let all = [
            ("applied", None, 14),
            ("unchanged", None, 3),
            ("superseded", None, 1),
            ("dead", Some("unknown_sku"), 2),
        ];
        let expected = "would apply 14, 3 unchanged, 1 superseded, 2 still dead: unknown_sku";
        assert_eq!(tally(&all).would(), expected);
        assert_eq!(tally(&all[..2]).did(), "applied 14, 3 unchanged");
        let dead = [("dead", Some("malformed"), 2), ("dead", Some("unknown_sku"), 1)];
        let expected = "would apply none, 3 still dead: 2 malformed, 1 unknown_sku";
        assert_eq!(tally(&dead).would(), expected);
        assert_eq!(tally(&[]).did(), "applied none");
    }

    #[test]
    fn counting_goes_on_from_the_text_of_a_tally() {
        let all = tally(&[("applied", None, 14), ("dead", Some("unknown_sku"), 2)]);
        assert_eq!(Tally::parse(&all.to_string()), all);
        assert_eq!((all.all(), Tally::parse("a b=c =").all()), (16, 0));
    }
}
