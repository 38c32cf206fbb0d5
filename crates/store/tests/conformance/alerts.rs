//! What was told: kept until it is over.

use domain::Timestamp;
use store::{Alert, Alerts};

use crate::harness::{NOW, TestStore};

fn alert(matter: &str, told: i64) -> Alert {
    Alert { matter: matter.to_owned(), began: NOW, told_at: Timestamp(NOW.0 + told) }
}

pub(crate) async fn what_was_told_is_kept_until_it_is_over<T: TestStore>() {
    let test = T::open().await;
    let store = test.store();
    assert_eq!(store.alerts().await.expect("reads"), []);
    let both = [alert("short", 1), alert("dead", 2)];
    store.keep_alerts(&both, &["queue".to_owned()]).await.expect("keeps");
    let another = test.another().await;
    assert_eq!(another.alerts().await.expect("reads"), [alert("dead", 2), alert("short", 1)]);

    // Told once more, while another is over.
    another.keep_alerts(&[alert("short", 3)], &["dead".to_owned()]).await.expect("keeps");
    assert_eq!(store.alerts().await.expect("reads"), [alert("short", 3)]);
    store.keep_alerts(&[], &["short".to_owned()]).await.expect("keeps");
    assert_eq!(store.alerts().await.expect("reads"), []);
}
