//! What was decided before is decided once more, and what would come of it is said before.

use domain::{Decided, Operation, Outcome, Timestamp, View};
use testkit::memory::MemoryStore;
use worker::{Again, Processor, Strategy, Work};

use crate::harness::{placed, shops, work};

fn operation(key: &str) -> Operation {
    Operation { key: key.to_owned(), what: "somebody: replay".to_owned(), at: Timestamp(1) }
}

fn processor(store: &MemoryStore) -> Processor<MemoryStore> {
    Processor::new(store.clone(), Strategy::Optimistic)
}

#[tokio::test]
async fn what_was_applied_is_decided_again_and_counts_once() {
    let store = MemoryStore::default();
    store.open_stock("BOWL", "main", 10, 0);
    let (order, shops) = (work(&placed(1, 3)), shops(""));
    let mut processor = processor(&store);
    processor.process(vec![order.clone()], &shops, true).await.expect("the store is there");
    let (before, counts) = (store.webhooks(), store.counts());
    for key in ["a", "b"] {
        let again = processor.again(order.clone(), &shops, &operation(key)).await;
        let Again::Decided(verdict) = again.expect("the store is there") else { panic!("{key}") };
        assert_eq!(verdict.outcome, Outcome::Unchanged);
    }
    let again = processor.again(order, &shops, &operation("a")).await.expect("the store is there");
    assert_eq!(again, Again::DoneBefore);
    assert_eq!((store.webhooks(), store.counts()), (before, counts), "the inbox stays as it is");
    assert_eq!(store.stock_of("BOWL", "main").committed, 3);
    store.assert_sound();
}

#[tokio::test]
async fn what_can_no_longer_be_applied_changes_nothing() {
    let store = MemoryStore::default();
    store.open_stock("BOWL", "main", 10, 0);
    let (order, known) = (work(&placed(1, 3)), shops(""));
    let mut processor = processor(&store);
    processor.process(vec![order.clone()], &known, true).await.expect("the store is there");
    let mut of_nobody = order;
    of_nobody.envelope.shop = domain::ShopId::new("gone.myshopify.com");
    let again = processor.again(of_nobody, &known, &operation("a")).await;
    let Again::Decided(verdict) = again.expect("the store is there") else { panic!("it is new") };
    assert_eq!(verdict.outcome, Outcome::Dead);
    assert_eq!(store.dead_letters().len(), 0);
    store.assert_sound();
}

#[tokio::test]
async fn a_preview_sees_what_the_ones_before_would_leave_and_changes_nothing() {
    let store = MemoryStore::default();
    let shops = shops("");
    let letters: Vec<Work> = (1..=3).map(|id| work(&placed(id, 1))).collect();
    let mut processor = processor(&store);
    processor.process(letters.clone(), &shops, true).await.expect("the store is there");
    assert_eq!(store.dead_letters().len(), 3);
    store.open_stock("BOWL", "main", 2, 0);

    let (mut carried, mut outcomes) = (View::default(), Vec::new());
    for letter in letters {
        let again = vec![Work { replay: true, ..letter }];
        let (decided, view) =
            processor.preview(again, &shops, carried).await.expect("the store is there");
        carried = view;
        outcomes.extend(decided.into_iter().map(|decided| match decided {
            Decided::Verdict(verdict) => verdict.outcome,
            other => panic!("{other:?}"),
        }));
    }
    assert_eq!(outcomes, [Outcome::Applied, Outcome::Applied, Outcome::Short]);
    assert_eq!(store.dead_letters().len(), 3);
    assert_eq!(store.stock_of("BOWL", "main").committed, 0);
    store.assert_sound();
}
