//! A batch reads by whole keys, whatever PostgreSQL supposes: its plans are made while the tables
//! are empty and nothing is known of them, and kept while they grow to millions of rows.

use serde_json::Value;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, Row};
use store::postgres::{Postgres, PostgresConfig};
use testkit::services::test_database;

/// What each index scan of a table that grows must be given.
const KEYS: [(&str, &[&str]); 8] = [
    ("webhooks", &["shop", "scope", "webhook_id", "body_hash"]),
    ("orders", &["shop", "order_id"]),
    ("order_stock", &["shop", "order_id"]),
    ("payments", &["shop", "payment_id"]),
    ("stock", &["sku"]),
    ("listings", &["shop", "variant"]),
    ("sightings", &["shop", "kind", "id", "place"]),
    ("dead_letters", &["id"]),
];

macro_rules! statements {
    ($($name:literal,)+) => {
        [$(($name, include_str!(concat!("../../src/postgres/sql/", $name, ".sql"))),)+]
    };
}

/// All that a batch may run, but for what only inserts.
const STATEMENTS: [(&str, &str); 17] = statements![
    "clear_suspects",
    "close_dead_letters",
    "count_repeats",
    "insert_webhooks",
    "load_listings",
    "load_order_stock",
    "load_orders",
    "load_payments",
    "load_stock",
    "load_webhooks",
    "lock_replayed",
    "lock_stock",
    "replace_dead",
    "stock_of_batch",
    "update_stock",
    "write_dead_letters",
    "write_orders",
];

#[tokio::test]
async fn a_batch_reads_by_whole_keys_whatever_the_planner_supposes() {
    let database = test_database().await;
    let config = PostgresConfig { url: database.url().to_owned(), max_connections: 1 };
    Postgres::migrate(&config).await.expect("migrates");
    let options: sqlx::postgres::PgConnectOptions = database.url().parse().expect("a URL");
    let mut connection = options.connect().await.expect("connects");
    for setting in ["enable_seqscan = off", "jit = off", "plan_cache_mode = force_generic_plan"] {
        connection.execute(AssertSqlSafe(format!("SET {setting}"))).await.expect("is set");
    }
    let mut bad = Vec::new();
    let stock = include_str!("../../src/postgres/sql/stock_of_batch.sql");
    let claimed = format!("{stock}\nFOR NO KEY UPDATE OF s");
    for (name, sql) in STATEMENTS.into_iter().chain([("claim_stock", claimed.as_str())]) {
        let count = (1..).take_while(|place| sql.contains(&format!("${place}::"))).count();
        let nulls = vec!["NULL"; count].join(", ");
        let prepare = format!("PREPARE {name} AS {sql}");
        connection.execute(AssertSqlSafe(prepare)).await.expect("is prepared");
        let explain = format!("EXPLAIN (FORMAT JSON) EXECUTE {name}({nulls})");
        let row = connection.fetch_one(AssertSqlSafe(explain)).await.expect("is explained");
        let plan: Value = serde_json::from_str(row.get_unchecked(0)).expect("JSON");
        look(&plan[0]["Plan"], name, &mut bad);
    }
    assert!(bad.is_empty(), "not by whole keys:\n{}", bad.join("\n"));
}

/// Collects the scans of growing tables that are given less than their keys.
fn look(plan: &Value, statement: &str, bad: &mut Vec<String>) {
    let text = |name: &str| plan[name].as_str().unwrap_or_default();
    let table = match text("Relation Name") {
        // The part of a bitmap scan that has the condition names only its index.
        "" => KEYS.iter().map(|(table, _)| *table).find(|table| {
            text("Index Name").strip_prefix(table).is_some_and(|rest| rest.starts_with('_'))
        }),
        table => Some(table),
    };
    let keys = KEYS.iter().find(|(name, _)| Some(*name) == table).map(|(_, keys)| *keys);
    let (kind, condition) = (text("Node Type"), text("Index Cond"));
    let by_key = |keys: &[&str]| keys.iter().all(|key| condition.contains(&format!("({key} = ")));
    // Closing goes by the webhook of a letter, where no two shops have the same.
    let by_webhook = table == Some("dead_letters") && condition.contains("(webhook_id = ");
    let is_scan = matches!(kind, "Index Scan" | "Index Only Scan" | "Bitmap Index Scan");
    let is_bad = match keys {
        Some(keys) if is_scan => !by_key(keys) && !by_webhook,
        Some(_) => kind == "Seq Scan",
        None => false,
    };
    if is_bad {
        bad.push(format!("{statement}: {kind} of {table:?} by {condition:?}"));
    }
    for part in plan["Plans"].as_array().into_iter().flatten() {
        look(part, statement, bad);
    }
}
