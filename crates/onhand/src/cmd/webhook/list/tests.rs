use domain::{BodyHash, ChangeSet, Timestamp, Verdict, WebhookId, WebhookKey, WebhookRecord};
use store::{AnyStore, Database, Store};

use super::*;

/// 2026-11-21T12:00:00Z
const NOW: Timestamp = Timestamp(1_795_262_400_000_000);

fn envelope(number: i64) -> EnvelopeId {
    let before = EnvelopeId::before_all_of(Timestamp(NOW.0 + number * 1_000));
    EnvelopeId(Uuid::from_u128(before.0.as_u128() | 0x7000_8000_0000_0000_0000))
}

fn record(number: i64, outcome: Outcome) -> WebhookRecord {
    WebhookRecord {
        key: WebhookKey {
            webhook: WebhookId::new(number.to_string()),
            shop: ShopId::new("demo"),
            body: BodyHash::of(&number.to_le_bytes()),
            scope: None,
        },
        envelope: envelope(number),
        topic: "app/uninstalled".to_owned(),
        order: None,
        verdict: Verdict::plain(outcome),
        received_at: NOW,
        decided_at: NOW,
        attempts: 0,
        replaces_dead: false,
    }
}

async fn found(
    store: &AnyStore,
    before: Option<EnvelopeId>,
    steps: i64,
) -> (Vec<String>, Option<EnvelopeId>) {
    let page =
        WebhookPage { outcome: Some(Outcome::Short), before, limit: 3, ..WebhookPage::default() };
    let found = look(store, page, steps).await.expect("looks");
    (found.rows.iter().map(|row| row.webhook.to_string()).collect(), found.next)
}

#[tokio::test]
async fn it_looks_so_far_and_on_from_there() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let database = Database::Sqlite(folder.path().join("onhand.db"));
    database.migrate().await.expect("migrates");
    let store = database.open().await.expect("opens");
    // Two old ones, and one that is just so far back that the first step sees it.
    let short = [1, 2, 3];
    let webhooks = (1..=SCAN_MAX + 2).map(|number| {
        let outcome = if short.contains(&number) { Outcome::Short } else { Outcome::Ignored };
        record(number, outcome)
    });
    let changes = ChangeSet { webhooks: webhooks.collect(), ..ChangeSet::default() };
    store.commit(&changes).await.expect("commits");

    let (seen, next) = found(&store, None, 1).await;
    assert_eq!((seen, next), (vec!["3".to_owned()], Some(envelope(3))));
    let rest = ["2", "1"].map(str::to_owned).to_vec();
    assert_eq!(found(&store, next, 1).await, (rest, None));
    let (seen, next) = found(&store, None, 2).await;
    assert_eq!(seen, ["3", "2", "1"]);
    assert_eq!(next, Some(envelope(1)), "as many as are wanted");
}

#[test]
fn where_it_stopped_is_said_with_how_to_go_on() {
    let said = stopped(envelope(1_000));
    assert!(said.contains("1,000,000 webhooks, back to 2026-11-21T12:00:01Z;"), "{said}");
    assert!(said.ends_with(&format!("--before {} looks on from there", envelope(1_000))), "{said}");
    assert!(stopped(EnvelopeId(Uuid::nil())).contains("1,000,000 webhooks; --before"));
}
