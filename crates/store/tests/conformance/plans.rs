//! What is asked is answered by good plans, whatever PostgreSQL supposes. Those of batches are made
//! while the tables are empty and nothing is known of them, and kept while they grow to millions of rows.

use serde_json::Value;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, PgConnection, Row};
use store::postgres::{Postgres, PostgresConfig};
use testkit::services::{TestDatabase, test_database};

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
    let (_database, mut connection) = empty_database().await;
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
        look(&plan(&mut connection, explain).await, name, &mut bad);
    }
    assert!(bad.is_empty(), "not by whole keys:\n{}", bad.join("\n"));
}

/// Stock is opened; then a rush of orders comes, of which PostgreSQL has not learned yet.
const RUSH: &str = "
    ALTER TABLE ledger SET (autovacuum_enabled = off);
    ALTER TABLE orders SET (autovacuum_enabled = off);
    ALTER TABLE order_stock SET (autovacuum_enabled = off);
    ALTER TABLE webhooks SET (autovacuum_enabled = off);
    INSERT INTO ledger
    SELECT i::text, 'main', 1, 'opening', 9, 0, NULL, NULL, NULL, gen_random_uuid(), '', now()
    FROM generate_series(1, 1000) AS i;
    ANALYZE;
    INSERT INTO orders (shop, order_id, version, state, short, document)
    SELECT 'demo', i::text, 1, 'committed', false, '{}' FROM generate_series(1, 20000) AS i;
    INSERT INTO order_stock
    SELECT 'demo', i::text, 'BOWL', 'main', 1, 0, 0, 0 FROM generate_series(1, 20000) AS i;
    INSERT INTO webhooks (webhook_id, shop, body_hash, envelope_id, topic, order_id, outcome,
                          received_at, decided_at, scope)
    SELECT i::text, 'demo', '', gen_random_uuid(), 'orders/create', i::text, 'applied', now(), now(),
           i::text
    FROM generate_series(1, 20000) AS i;
    INSERT INTO ledger
    SELECT 'BOWL', 'main', i, 'commit', 0, 1, 'demo', i::text, i::text, gen_random_uuid(), '', now()
    FROM generate_series(1, 20000) AS i";

/// `verify` right after a rush: the tables are full, and nothing is known of them.
#[tokio::test]
async fn a_check_goes_through_each_table_once_whatever_the_planner_supposes() {
    let (_database, mut connection) = empty_database().await;
    for sql in [RUSH, "BEGIN", include_str!("../../src/postgres/sql/read_it_all.sql")] {
        connection.execute(AssertSqlSafe(sql)).await.expect("is set");
    }
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/verify");
    let mut again_and_again = Vec::new();
    for file in std::fs::read_dir(folder).expect("the checks are there") {
        let path = file.expect("a file").path();
        let sql = std::fs::read_to_string(&path).expect("is read").replace("$1", "20");
        let plan = plan(&mut connection, format!("EXPLAIN (FORMAT JSON) {sql}")).await;
        if plan.to_string().contains("Nested Loop") {
            again_and_again.push(format!("{}: {plan:#}", path.display()));
        }
    }
    assert!(again_and_again.is_empty(), "{}", again_and_again.join("\n"));
}

async fn empty_database() -> (TestDatabase, PgConnection) {
    let database = test_database().await;
    let config = PostgresConfig { url: database.url().to_owned(), max_connections: 1 };
    Postgres::migrate(&config).await.expect("migrates");
    let options: sqlx::postgres::PgConnectOptions = database.url().parse().expect("a URL");
    let connection = options.connect().await.expect("connects");
    (database, connection)
}

async fn plan(connection: &mut PgConnection, explain: String) -> Value {
    let row = connection.fetch_one(AssertSqlSafe(explain)).await.expect("is explained");
    let mut plans: Value = serde_json::from_str(row.get_unchecked(0)).expect("JSON");
    plans[0]["Plan"].take()
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
