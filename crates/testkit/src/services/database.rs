//! A database of its own for each test, on the server that all tests share.
//!
//! tokio-postgres is used here for `CREATE DATABASE`, and for what no webhook and no command can do
//! to a database. Within the program the store alone names it; this crate is never part of the
//! program.

use tokio_postgres::{Error, NoTls};

use super::{required, short_id};

/// An empty database. Dropping it drops the database, connections and all.
#[derive(Debug)]
pub struct TestDatabase {
    server: String,
    name: String,
}

/// Creates an empty database on the server of `ONHAND_TEST_POSTGRES_URL`.
pub async fn test_database() -> TestDatabase {
    let example = "postgres://postgres@127.0.0.1:5432/postgres";
    TestDatabase::create_on(required("ONHAND_TEST_POSTGRES_URL", example)).await
}

impl TestDatabase {
    /// Creates an empty database on the server that `url` names.
    pub async fn create_on(url: impl Into<String>) -> Self {
        let (server, name) = (url.into(), format!("onhand_test_{}", short_id()));
        let made = execute(&server, &format!("CREATE DATABASE {name}")).await;
        made.unwrap_or_else(|error| panic!("cannot make a test database: {error:?}"));
        Self { server, name }
    }

    pub fn url(&self) -> String {
        with_database(&self.server, &self.name)
    }

    /// Does to it what only time does.
    pub async fn run(&self, statement: &str) {
        let done = execute(&self.url(), statement).await;
        done.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let server = self.server.clone();
        let statement = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // A drop cannot await, so it borrows a thread. A server that is gone took it along.
        let dropper = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.is_ok_and(|runtime| runtime.block_on(execute(&server, &statement)).is_ok())
        });
        let _ = dropper.join();
    }
}

/// One statement on one connection, driven here: nothing is left running.
async fn execute(url: &str, statement: &str) -> Result<(), Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::select! {
        done = client.batch_execute(statement) => done,
        ended = connection => ended,
    }
}

/// `url` with another database.
fn with_database(url: &str, name: &str) -> String {
    let (base, options) = url.split_once('?').map_or((url, None), |(b, o)| (b, Some(o)));
    let authority = base.find("://").map_or(0, |at| at + 3);
    let end = base[authority..].find('/').map_or(base.len(), |at| authority + at);
    let options = options.map(|options| format!("?{options}")).unwrap_or_default();
    format!("{}/{name}{options}", &base[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_database_of_a_url_changes() {
        assert_eq!(
            with_database("postgres://u:p@h:1/old?a=/b", "new"),
            "postgres://u:p@h:1/new?a=/b"
        );
        assert_eq!(with_database("postgres://h", "new"), "postgres://h/new");
    }
}
