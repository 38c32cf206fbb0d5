//! What came of each shop, and what signed it.

use domain::{ShopId, Timestamp};
use store::Activity;
use store::activity::{ActivityNotes, Hour, ShopHour, ShopSigner};

use crate::harness::{NOW, TestStore};

fn hour(shop: &str, hour: i64, webhooks: i64) -> ShopHour {
    ShopHour { shop: ShopId::new(shop), hour: Hour(hour), webhooks }
}

fn signer(shop: &str, secret: &str, after: i64) -> ShopSigner {
    let last_at = Timestamp(NOW.0 + after);
    ShopSigner { shop: ShopId::new(shop), secret: secret.to_owned(), last_at }
}

pub(crate) async fn what_came_of_shops_is_added_up_and_forgotten<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    assert_eq!(store.shop_hours().await.expect("reads"), []);
    for hours in [vec![hour("a", 8, 1), hour("b", 7, 5)], vec![hour("a", 8, 2), hour("a", 9, 4)]] {
        let notes = ActivityNotes { hours, signers: vec![] };
        store.note_activity(&notes).await.expect("notes");
    }
    let all = [hour("a", 8, 3), hour("a", 9, 4), hour("b", 7, 5)];
    assert_eq!(store.shop_hours().await.expect("reads"), all);
    // A clock that is ahead by years, and was not believed.
    store.forget_activity(Hour(9), 1).await.expect("forgets");
    store.forget_activity(Hour(8), 0).await.expect("forgets");
    assert_eq!(store.shop_hours().await.expect("reads"), all);
    // Each by its own last hour.
    store.forget_activity(Hour(1_000_000), 0).await.expect("forgets");
    assert_eq!(test.another().await.shop_hours().await.expect("reads"), all[1..]);
    store.note_activity(&ActivityNotes::default()).await.expect("there is nothing to note");
}

pub(crate) async fn the_newest_signature_of_each_secret_is_kept<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    for signers in [
        vec![signer("a", "", 0), signer("a", "env:NEW", 7), signer("b", "file:/x", 1)],
        // A backlog that is worked off later.
        vec![signer("a", "env:NEW", 3), signer("b", "file:/x", 2)],
    ] {
        let notes = ActivityNotes { hours: vec![], signers };
        store.note_activity(&notes).await.expect("notes");
    }
    let newest = [signer("a", "", 0), signer("a", "env:NEW", 7), signer("b", "file:/x", 2)];
    assert_eq!(store.shop_signers().await.expect("reads"), newest);
}
