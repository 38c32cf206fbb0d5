//! What a body means, in words.

use operate::meaning::fact_lines;

use super::Explained;

pub(super) fn print(explained: &Explained<'_>) {
    if let Some(dead) = &explained.dead {
        outln!("It would become a dead letter: {} ({}).", dead.reason, dead.detail);
    }
    if let Some(reason) = explained.ignored {
        outln!("It would be ignored: {reason}.");
    }
    if let Some(note) = explained.note {
        outln!("{note}.");
    }
    for line in explained.facts.iter().flat_map(|fact| fact_lines(fact)) {
        outln!("{line}");
    }
}
