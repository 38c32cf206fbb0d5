//! The store in a SQLite file under the contract.

use std::path::PathBuf;
use std::sync::Arc;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row, SqliteConnection};
use store::sqlite::Sqlite;
use tempfile::TempDir;

use crate::harness::{SchemaVersions, StoreError, TABLES, TestStore, soon};

conformance_suite!(TestSqlite);

pub(crate) struct TestSqlite {
    store: Sqlite,
    folder: Arc<TempDir>,
}

impl TestStore for TestSqlite {
    type Store = Sqlite;

    const TWO_HOURS_AGO: &'static str = "(unixepoch() - 7200) * 1000000";

    async fn create() -> Self {
        let folder = Arc::new(TempDir::new().expect("a folder"));
        let store = Sqlite::open(&file(&folder), true).await.expect("opens");
        Self { store, folder }
    }

    async fn migrate(&self) -> Result<SchemaVersions, StoreError> {
        self.store.migrate().await
    }

    async fn schema_versions(&self) -> Result<SchemaVersions, StoreError> {
        self.store.schema_versions().await
    }

    fn store(&self) -> &Sqlite {
        &self.store
    }

    async fn another(&self) -> Sqlite {
        Sqlite::open(&file(&self.folder), false).await.expect("opens")
    }

    async fn sql(&self, sql: &str) -> u64 {
        let mut connection = self.connection().await;
        let done = sqlx::query(AssertSqlSafe(sql.to_owned()))
            .execute(&mut connection)
            .await
            .expect("runs");
        connection.close().await.expect("closes");
        done.rows_affected()
    }

    async fn oversell(&self) {
        let mut connection = self.connection().await;
        let sql = "PRAGMA ignore_check_constraints = ON; UPDATE stock SET committed = on_hand + 1";
        sqlx::raw_sql(sql).execute(&mut connection).await.expect("runs");
        connection.close().await.expect("closes");
    }

    async fn dump(&self) -> Vec<String> {
        let mut connection = self.connection().await;
        let mut dump = Vec::new();
        for table in TABLES {
            let columns = sqlx::query("SELECT group_concat(name) FROM pragma_table_info(?1)")
                .bind(table)
                .fetch_one(&mut connection)
                .await
                .expect("a table has columns");
            let columns: String = columns.get(0);
            let values: Vec<String> =
                columns.split(',').map(|column| format!("quote({column})")).collect();
            let sql = format!("SELECT concat_ws(', ', {}) FROM {table}", values.join(", "));
            let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut connection).await;
            let rows = rows.expect("a table can be read");
            dump.extend(rows.iter().map(|row| format!("{table}: {}", row.get::<String, _>(0))));
        }
        connection.close().await.expect("closes");
        dump.sort_unstable();
        dump
    }
}

impl TestSqlite {
    async fn connection(&self) -> SqliteConnection {
        let options = SqliteConnectOptions::new().filename(file(&self.folder));
        soon("a connection", options.connect()).await.expect("opens")
    }
}

fn file(folder: &TempDir) -> PathBuf {
    folder.path().join("onhand.db")
}
