//! Lanes that hammer the same webhooks, orders and stock: nothing is lost, nothing is done twice,
//! and nobody ever waits in a circle.

use domain::Decided;
use futures_util::future::join_all;
use store::{Commit, Reports, Store, StoreError};
use testkit::shopify::ShopifyOrder;

use crate::harness::{Sent, TestStore, decide, keys, sent, soon, sound, stock_moves, units};

const ORDERS: u64 = 240;
const SKUS: [&str; 3] = ["BOWL", "CUP", "PLATE"];
const BATCH: usize = 6;

/// Lanes are at about the same place at the same time, within a window of so many webhooks.
const WINDOW: usize = 18;

/// How a lane keeps others out, if at all.
#[derive(Clone, Copy)]
enum Mode {
    Optimistic,
    Locking,
    Named,
    InTurn,
    /// The first and the second of these, one after the other.
    Both,
}

#[derive(Default)]
struct Tally {
    conflicts: u32,
    repeats: i64,
}

pub(crate) async fn optimistic_lanes_lose_no_update<T: TestStore>() {
    hammer::<T>(&[Mode::Optimistic, Mode::Optimistic]).await;
}

pub(crate) async fn locking_lanes_lose_no_update_and_meet_no_conflict<T: TestStore>() {
    let conflicts = hammer::<T>(&[Mode::Locking, Mode::Locking]).await;
    assert_eq!(conflicts, 0, "what is claimed does not change");
}

pub(crate) async fn lanes_that_lock_names_lose_no_update_and_meet_no_conflict<T: TestStore>() {
    assert_eq!(hammer::<T>(&[Mode::Named, Mode::Named]).await, 0);
}

pub(crate) async fn lanes_in_turn_lose_no_update_and_meet_no_conflict<T: TestStore>() {
    assert_eq!(hammer::<T>(&[Mode::InTurn, Mode::InTurn]).await, 0);
}

pub(crate) async fn mixed_lanes_lose_no_update<T: TestStore>() {
    hammer::<T>(&[Mode::Optimistic, Mode::Locking, Mode::Both, Mode::Named, Mode::InTurn]).await;
}

/// Every lane brings every webhook, each in an envelope of its own. Returns the conflicts.
async fn hammer<T: TestStore>(modes: &[Mode]) -> u32 {
    let test = T::open().await;
    for sku in SKUS {
        stock_moves(test.store(), sku, 10_000).await;
    }
    let webhooks = webhooks();
    let lanes = modes.iter().enumerate().map(|(lane, mode)| {
        let (test, webhooks) = (&test, &webhooks);
        async move {
            // As in a fleet: some lanes share a process, some do not.
            if lane % 2 == 0 {
                run(test.store(), lane, *mode, webhooks).await
            } else {
                run(&test.another().await, lane, *mode, webhooks).await
            }
        }
    });
    let tallies = soon("the lanes", join_all(lanes)).await;

    let store = test.store();
    sound(store).await;
    let all = i64::try_from(webhooks.len()).expect("a few");
    let others = i64::try_from(modes.len() - 1).expect("a few");
    let totals = store.totals().await.expect("counts");
    assert_eq!(totals.webhooks[&domain::Outcome::Duplicate], all * others);
    assert_eq!(tallies.iter().map(|tally| tally.repeats).sum::<i64>(), all * others);
    assert_eq!(totals.webhooks.values().sum::<i64>(), all * (1 + others));
    // Two lines per order, three units in all.
    let mut committed = 0;
    for sku in SKUS {
        committed += units(store, sku).await.1;
    }
    assert_eq!(committed, 3 * i64::try_from(ORDERS).expect("a few"));
    assert_eq!(test.deadlocks().await, 0);
    tallies.iter().map(|tally| tally.conflicts).sum()
}

/// Two webhooks per order.
fn webhooks() -> Vec<Sent> {
    (1..=ORDERS)
        .flat_map(|id| {
            let at = usize::try_from(id).expect("a few");
            let mut order = ShopifyOrder::new(id).line(SKUS[at % 3], 1).line(SKUS[(at + 1) % 3], 2);
            let number = u128::from(id) * 2;
            let placed = sent(number, &order, "orders/create");
            [placed, sent(number + 1, order.pay(), "orders/paid")]
        })
        .collect()
}

async fn run<S: Store>(store: &S, lane: usize, mode: Mode, webhooks: &[Sent]) -> Tally {
    let mut mine: Vec<Sent> = webhooks
        .iter()
        .map(|one| {
            let number = one.incoming.envelope.0.as_u128();
            one.again(number + 1_000_000 * (1 + u128::try_from(lane).expect("a few")))
        })
        .collect();
    let mut dice = Dice(u64::try_from(lane).expect("a few") + 1);
    for window in mine.chunks_mut(WINDOW) {
        dice.shuffle(window);
    }
    let mut tally = Tally::default();
    for (at, batch) in mine.chunks(BATCH).enumerate() {
        let mode = match mode {
            Mode::Both if at % 2 == 0 => Mode::Locking,
            mode => mode,
        };
        work(store, batch, mode, &mut tally).await;
    }
    tally
}

/// Until it is applied.
async fn work<S: Store>(store: &S, batch: &[Sent], mode: Mode, tally: &mut Tally) {
    loop {
        let (answer, decided) = match (attempt(store, batch, mode).await, mode) {
            // Others do not heed names: an order that grew between two reads is read again.
            (Err(StoreError::TryAgain(_)), Mode::Named) => {
                tally.conflicts += 1;
                continue;
            }
            (tried, _) => tried.expect("no deadlock, no error"),
        };
        if answer == Commit::Applied {
            let repeats = decided.iter().filter(|one| **one == Decided::Duplicate).count();
            tally.repeats += i64::try_from(repeats).expect("a few");
            return;
        }
        tally.conflicts += 1;
    }
}

async fn attempt<S: Store>(
    store: &S,
    batch: &[Sent],
    mode: Mode,
) -> Result<(Commit, Vec<Decided>), StoreError> {
    let keys = keys(batch);
    let turn = match mode {
        Mode::InTurn => Some(store.process_turn().await?),
        _ => None,
    };
    let (claim, view) = match mode {
        Mode::Optimistic | Mode::Both | Mode::InTurn => {
            let (changes, decided) = decide(store.load(&keys).await?, batch);
            let answer = store.commit(&changes).await?;
            drop(turn);
            return Ok((answer, decided));
        }
        Mode::Locking => store.claim(&keys).await?,
        Mode::Named => store.claim_by_name(&keys).await?,
    };
    let (changes, decided) = decide(view, batch);
    Ok((store.commit_claim(claim, &changes).await?, decided))
}

/// xorshift: the same throws in every run.
struct Dice(u64);

impl Dice {
    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            let sides = u64::try_from(last + 1).expect("a few");
            items.swap(last, usize::try_from(self.0 % sides).expect("a few"));
        }
    }
}
