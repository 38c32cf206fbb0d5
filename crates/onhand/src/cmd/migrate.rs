//! `onhand migrate`.

use std::process::ExitCode;

use serde::Serialize;
use store::postgres::Postgres;
use store::sqlite::Sqlite;

use crate::config::{Database, Settings, postgres_config};
use crate::output;

#[derive(Serialize)]
struct Migrated {
    before: i64,
    now: i64,
}

pub(crate) async fn run(settings: &Settings) -> anyhow::Result<ExitCode> {
    let before = match settings.database()? {
        Database::Postgres(url) => Postgres::migrate(&postgres_config(&url, None)).await?,
        Database::Sqlite(path) => {
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            let store = Sqlite::open(&path, true).await?;
            let before = store.migrate().await?;
            store.close().await;
            before
        }
    };
    let now = before.program.max(before.database);
    if settings.json {
        output::json(&Migrated { before: before.database, now })?;
    } else if before.database >= before.program {
        println!("The schema is at version {}: nothing to do.", before.database);
    } else {
        println!("The schema went from version {} to {now}.", before.database);
    }
    Ok(ExitCode::SUCCESS)
}
