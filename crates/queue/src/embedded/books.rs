//! What the writer knows without asking the file. Pure.

use std::collections::{HashMap, VecDeque};
use std::mem;

use super::Limits;
use super::command::{Settle, Take};
use super::file::Counts;
use super::group::{Owed, Written};
use crate::QueueStats;

#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) counts: Counts,
    pub(super) owed: Owed,
    /// Parcels handed out, and to which consumer.
    held: HashMap<i64, u64>,
    /// Consumers for whom there was nothing yet.
    waiting: VecDeque<Take>,
    /// The highest number of a parcel that was ever handed out here.
    newest: i64,
}

impl Books {
    pub(super) fn new(counts: Counts) -> Self {
        Self { counts, ..Self::default() }
    }

    pub(super) fn ask(&mut self, take: Take) {
        self.waiting.push_back(take);
    }

    pub(super) fn settle(&mut self, Settle { finished, retries }: Settle) {
        self.owed.settle.finished.extend(finished);
        self.owed.settle.retries.extend(retries);
    }

    /// A consumer wants nothing any more, for now.
    pub(super) fn withdraw(&mut self, session: u64) {
        self.waiting.retain(|take| take.session != session);
    }

    /// A consumer is gone: what it held goes to others.
    pub(super) fn depart(&mut self, session: u64) {
        self.withdraw(session);
        let held = self.held.iter().filter(|(_, holder)| **holder == session);
        self.owed.given_back.extend(held.map(|(parcel, _)| *parcel));
    }

    /// All consumers are gone, or will find that the queue is.
    pub(super) fn depart_all(&mut self) {
        self.waiting.clear();
        self.owed.given_back.extend(self.held.keys());
    }

    /// Another file took the place of this one. What is in somebody's hands is in their hands only;
    /// what they will say of it means nothing in the new file.
    pub(super) fn start_anew(&mut self, counts: Counts) {
        self.counts = counts;
        self.owed = Owed::default();
        self.held.clear();
    }

    pub(super) fn newest(&self) -> i64 {
        self.newest
    }

    pub(super) fn held(&self) -> Vec<i64> {
        self.held.keys().copied().collect()
    }

    /// How many envelopes each waiting consumer wants.
    pub(super) fn wanted(&self) -> Vec<usize> {
        self.waiting.iter().map(|take| take.max).collect()
    }

    /// Whether a transaction would change anything.
    pub(super) fn has_work(&self, now: i64) -> bool {
        let due = self.counts.next_due.is_some_and(|due| due <= now);
        let wanted = !self.waiting.is_empty() && self.stats().ready > 0;
        due || wanted || !self.owed.is_empty()
    }

    /// Takes over what a transaction led to, and hands out what was taken.
    pub(super) fn enter(&mut self, Written { counts, taken }: Written) {
        self.counts = counts;
        let Owed { settle, given_back, untouched } = mem::take(&mut self.owed);
        for parcel in settle.finished.into_iter().chain(given_back).chain(untouched) {
            self.held.remove(&parcel);
        }
        for parcels in taken {
            let Some(take) = self.waiting.pop_front() else { break };
            if parcels.is_empty() {
                // All of them go round once, so they stay in order.
                self.waiting.push_back(take);
                continue;
            }
            let taken: Vec<i64> = parcels.iter().map(|leased| leased.parcel).collect();
            self.newest = taken.iter().copied().fold(self.newest, i64::max);
            match take.reply.send(parcels) {
                Ok(()) => self.held.extend(taken.into_iter().map(|id| (id, take.session))),
                // It was dropped; its departure may have been entered already.
                Err(_) => self.owed.given_back.extend(taken),
            }
        }
    }

    pub(super) fn has_room(&self, limits: &Limits) -> bool {
        self.counts.parcels < limits.waiting_parcels_max
            && self.counts.bytes < limits.waiting_bytes_max
    }

    pub(super) fn stats(&self) -> QueueStats {
        let Counts { parcels, delayed, .. } = self.counts;
        let unacked = u64::try_from(self.held.len()).unwrap_or(u64::MAX);
        let ready = parcels.saturating_sub(delayed).saturating_sub(unacked);
        QueueStats { ready, unacked: Some(unacked), delayed, oldest: None }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::super::command::Leased;
    use super::*;

    fn parcel(parcel: i64) -> Leased {
        Leased { parcel, attempts: 0, deliveries: 1, body: Vec::new() }
    }

    fn written(parcels: u64, taken: Vec<Vec<Leased>>) -> Written {
        Written { counts: Counts { parcels, ..Counts::default() }, taken }
    }

    #[test]
    fn what_a_consumer_that_is_gone_was_to_get_is_given_back() {
        let mut books = Books::new(Counts::default());
        let (reply, gone) = oneshot::channel();
        books.ask(Take { session: 1, max: 10, reply });
        drop(gone);
        books.enter(written(2, vec![vec![parcel(1), parcel(2)]]));
        assert_eq!(books.owed.given_back, [1, 2]);
        assert!(books.has_work(0));
    }

    #[test]
    fn what_was_handed_out_of_another_file_is_forgotten_but_for_its_numbers() {
        let mut books = Books::new(Counts::default());
        let (reply, _answer) = oneshot::channel();
        books.ask(Take { session: 1, max: 10, reply });
        books.enter(written(2, vec![vec![parcel(7), parcel(8)]]));
        books.settle(Settle { finished: vec![7], retries: Vec::new() });
        books.start_anew(Counts { parcels: 1, ..Counts::default() });
        assert!(books.owed.is_empty() && books.held().is_empty());
        assert_eq!((books.newest(), books.stats().ready), (8, 1));
    }

    #[test]
    fn who_got_nothing_waits_on_in_the_same_order() {
        let mut books = Books::new(Counts::default());
        let mut answers = Vec::new();
        for session in 1..=3 {
            let (reply, answer) = oneshot::channel();
            books.ask(Take { session, max: 10, reply });
            answers.push(answer);
        }
        books.enter(written(1, vec![vec![parcel(1)], vec![], vec![]]));
        assert_eq!(answers[0].try_recv().expect("served")[0].parcel, 1);
        assert_eq!(books.waiting.iter().map(|take| take.session).collect::<Vec<_>>(), [2, 3]);
        assert!(!books.has_work(0));

        books.depart(1);
        assert_eq!(books.owed.given_back, [1]);
        books.depart(2);
        assert_eq!(books.waiting.iter().map(|take| take.session).collect::<Vec<_>>(), [3]);
    }
}
