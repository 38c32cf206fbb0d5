use domain::sighting::{ShopSighting, Sighting, Thing};
use domain::{ChangeSet, LocationId, StockKey, Timestamp, Variant};
use metrics_exporter_prometheus::PrometheusBuilder;
use operate::stock::{What, change};
use operate::{Command, Operated};
use store::{Commit, Database, Store};
use tempfile::TempDir;

use super::*;

fn shops(names: &[&str]) -> Shops {
    let shop = |name: &&str| {
        format!(
            "[[shop]]\nname = \"{name}\"\nplatform = \"woocommerce\"\n\
             secrets = [\"plain:{name}-is-a-secret-of-some-length\"]\n"
        )
    };
    let text: String = names.iter().map(shop).collect();
    Shops::parse(&text, |entry| Ok(entry.to_owned())).expect("a good shops file")
}

async fn has(store: &AnyStore, sku: &str, on_hand: i64) {
    let key = StockKey::new(&Sku::new(sku), &LocationId::new("main"));
    let what = What::Set { on_hand, floor: None };
    let done = change(store, &key, what, &Command::new("counted", None)).await;
    assert!(matches!(done, Ok(Operated::Done(_))), "{done:?}");
}

async fn says(store: &AnyStore, shop: &str, sku: &str, available: i64) {
    let thing = Thing::Variant {
        variant: Variant::new(format!("v-{sku}")),
        product: None,
        sku: Some(Sku::new(sku)),
        inventory_item: None,
        available: Some(available),
    };
    let sighting = Sighting { seen_at: Timestamp::from_seconds(1), thing, gone: false };
    let sightings = vec![ShopSighting { shop: ShopId::new(shop), sighting }];
    let changes = ChangeSet { sightings, ..ChangeSet::default() };
    assert_eq!(store.commit(&changes).await.expect("commits"), Commit::Applied);
}

#[tokio::test]
async fn items_that_platforms_count_otherwise_are_counted_per_shop_and_direction() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let shown = |shop: &str, direction: &str| {
        let line = format!("{ITEMS}{{shop=\"{shop}\",direction=\"{direction}\"}} ");
        let rendered = recorder.handle().render();
        rendered.lines().find_map(|found| found.strip_prefix(&line).map(str::to_owned))
    };
    let folder = TempDir::new().expect("a folder");
    let database = Database::Sqlite(folder.path().join("onhand.db"));
    database.migrate().await.expect("migrates");
    let store = database.open().await.expect("opens");
    for (sku, units) in [("BOWL", 3), ("CUP", 3), ("JUG", 3), ("POT", 3)] {
        has(&store, sku, units).await;
    }
    for (sku, units) in [("BOWL", 3), ("CUP", 5), ("JUG", 4), ("POT", 1), ("UNKNOWN", 9)] {
        says(&store, "berlin", sku, units).await;
    }
    let mut gauges = Gauges::default();
    let both = shops(&["berlin", "paris"]);
    let over = gauges.look(&store, &both, Duration::ZERO).await.expect("compares");
    assert_eq!(over, BTreeMap::from([(ShopId::new("berlin"), 2), (ShopId::new("paris"), 0)]));
    let all = |shop: &str| (shown(shop, "over"), shown(shop, "under"));
    let text = |over: &str, under: &str| (Some(over.to_owned()), Some(under.to_owned()));
    assert_eq!((all("berlin"), all("paris")), (text("2", "1"), text("0", "0")));

    has(&store, "CUP", 5).await;
    has(&store, "POT", 1).await;
    gauges.look(&store, &both, Duration::ZERO).await.expect("compares");
    assert_eq!(all("berlin"), text("1", "0"));
    // A shop that is taken out of the file does not differ for ever.
    gauges.look(&store, &shops(&["paris"]), Duration::ZERO).await.expect("compares");
    assert_eq!(all("berlin"), text("0", "0"));
}

#[test]
fn what_differs_for_a_moment_or_turned_round_does_not_count() {
    let differing = |items: &[(&str, Direction)]| {
        let items = items.iter().map(|(sku, direction)| (Sku::new(*sku), *direction));
        Differing::from([(ShopId::new("berlin"), items.collect())])
    };
    let before = [("BOWL", Direction::Over), ("CUP", Direction::Over), ("JUG", Direction::Under)];
    let after = [("BOWL", Direction::Over), ("JUG", Direction::Over), ("POT", Direction::Over)];
    let lasting = lasting(differing(&before), &differing(&after));
    assert_eq!(lasting, differing(&before[..1]));
}
