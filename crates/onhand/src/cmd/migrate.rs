//! `onhand migrate`.

use std::process::ExitCode;

use serde::Serialize;
use store::Database;

use crate::config::Settings;
use crate::output;

#[derive(Serialize)]
struct Migrated {
    before: i64,
    now: i64,
}

pub(crate) async fn run(settings: &Settings) -> anyhow::Result<ExitCode> {
    let database = settings.database(1)?;
    if let Database::Sqlite(path) = &database
        && let Some(folder) = path.parent()
    {
        std::fs::create_dir_all(folder)?;
    }
    let before = database.migrate().await?;
    let now = before.program.max(before.database);
    if settings.json {
        output::json(&Migrated { before: before.database, now })?;
    } else if before.database >= before.program {
        outln!("The schema is at version {}: nothing to do.", before.database);
    } else {
        outln!("The schema went from version {} to {now}.", before.database);
    }
    Ok(ExitCode::SUCCESS)
}
