//! What is paused: kept with who and why, once, and with its operation.

use domain::{Operation, ShopId, Timestamp};
use store::{Pages, Pause, Pauses};

use crate::harness::{NOW, SHOP, TestStore};

fn pause(shop: Option<&str>) -> Pause {
    Pause {
        shop: shop.map(ShopId::new),
        since: NOW,
        by: "kim".to_owned(),
        reason: "counting".to_owned(),
    }
}

fn operation(key: &str) -> Operation {
    Operation { key: key.to_owned(), what: format!("did {key}"), at: NOW }
}

async fn operations<T: TestStore>(test: &T) -> Vec<String> {
    let rows = test.store().operation_page("", None, 50).await.expect("reads");
    rows.into_iter().map(|row| row.what).collect()
}

pub(crate) async fn a_pause_is_kept_with_who_and_why_until_it_ends<T: TestStore>() {
    let test = T::open().await;
    assert_eq!(test.store().pauses().await.expect("reads"), []);
    assert!(test.store().pause(&pause(None), &operation("a")).await.expect("pauses"));
    let another = test.another().await;
    assert_eq!(another.pauses().await.expect("reads"), [pause(None)]);
    assert!(another.resume(None, &operation("b")).await.expect("resumes"));
    assert_eq!(test.store().pauses().await.expect("reads"), []);
    assert_eq!(operations(&test).await, ["did b", "did a"]);
}

pub(crate) async fn a_shop_is_paused_beside_everything<T: TestStore>() {
    let test = T::open().await;
    for (key, shop) in [("a", Some("zoo")), ("b", None), ("c", Some(SHOP))] {
        assert!(test.store().pause(&pause(shop), &operation(key)).await.expect("pauses"));
    }
    let all = [pause(None), pause(Some(SHOP)), pause(Some("zoo"))];
    assert_eq!(test.store().pauses().await.expect("reads"), all);
    assert!(test.store().resume(None, &operation("d")).await.expect("resumes"));
    assert_eq!(test.store().pauses().await.expect("reads"), all[1..]);
    assert!(test.store().resume(Some(&SHOP.into()), &operation("e")).await.expect("resumes"));
    assert_eq!(test.store().pauses().await.expect("reads"), all[2..]);
}

pub(crate) async fn a_pause_and_its_end_happen_once_with_their_operations<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    assert!(!store.resume(None, &operation("none")).await.expect("answers"), "nothing to end");
    assert!(store.pause(&pause(None), &operation("a")).await.expect("pauses"));
    let later = Pause { since: Timestamp(NOW.0 + 1), by: "robin".to_owned(), ..pause(None) };
    assert!(!store.pause(&later, &operation("late")).await.expect("answers"), "it is paused");
    assert_eq!(store.pauses().await.expect("reads"), [pause(None)], "as it was");
    assert!(store.resume(None, &operation("b")).await.expect("resumes"));
    assert!(!store.resume(None, &operation("again")).await.expect("answers"), "it is not paused");
    // An old form, sent once more.
    assert!(!store.pause(&pause(None), &operation("a")).await.expect("answers"));
    assert_eq!(store.pauses().await.expect("reads"), []);
    assert!(store.pause(&pause(None), &operation("c")).await.expect("pauses"));
    assert!(!store.resume(None, &operation("b")).await.expect("answers"));
    assert_eq!(store.pauses().await.expect("reads"), [pause(None)]);
    assert_eq!(operations(&test).await, ["did c", "did b", "did a"], "only what happened");
}
