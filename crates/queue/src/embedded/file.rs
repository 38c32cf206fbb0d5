//! The SQLite file: its options, its schema, and what is done to it as a whole.
//!
//! Anything that goes wrong ends the connection. The next one starts as a new process would: what
//! the log holds is copied into the file first, the epoch grows, and what is still in somebody's
//! hands is marked anew.

use std::path::Path;
use std::time::Duration;

use domain::Timestamp;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection};

use super::command::now;
use super::fault::{Unopened, unusable};
use crate::{QueueError, QueueStats, parcel};

/// The format of the file, in its `user_version`. Grows when an older Onhand could not use it.
const FORMAT: i64 = 1;

/// Nobody else writes, so a lock is a short moment of `peek` or somebody with a SQLite shell. Below
/// the 4 seconds within which ingress answers.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// The file is rewritten when the parcels in it have at most this size: a moment's work.
const SHRINK_LIVE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Free pages are used again; a file this large is left as it is.
const SHRINK_FILE_BYTES_MIN: i64 = 128 * 1024 * 1024;

/// `parcels` is narrow because it is written again with each delivery, `bodies` is written once.
/// `not_before` is 0 for what does not wait. `AUTOINCREMENT`, so that a late settlement can never
/// mean a younger parcel.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS process (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        epoch INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS parcels (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        not_before INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        deliveries INTEGER NOT NULL DEFAULT 0,
        lease INTEGER NOT NULL DEFAULT 0,
        envelopes INTEGER NOT NULL,
        bytes INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS parcels_ready ON parcels (id) WHERE not_before = 0;
    CREATE INDEX IF NOT EXISTS parcels_delayed ON parcels (not_before) WHERE not_before > 0;
    CREATE TABLE IF NOT EXISTS bodies (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
    PRAGMA user_version = 1;
";

const NEXT_EPOCH: &str = "
    INSERT INTO process (one, epoch) VALUES (1, 1)
    ON CONFLICT (one) DO UPDATE SET epoch = epoch + 1
    RETURNING epoch";

const MARK_HELD: &str = "
    UPDATE parcels SET lease = ?1 WHERE id IN (SELECT value FROM json_each(?2))";

const COUNT: &str = "
    SELECT count(*), count(*) FILTER (WHERE not_before > 0), coalesce(sum(bytes), 0),
        min(not_before) FILTER (WHERE not_before > 0), coalesce(sum(envelopes), 0)
    FROM parcels";

const PEEK: &str = "
    SELECT count(*) FILTER (WHERE not_before <= ?1 AND lease <> epoch),
        count(*) FILTER (WHERE not_before <= ?1 AND lease = epoch),
        count(*) FILTER (WHERE not_before > ?1),
        (SELECT body FROM bodies WHERE id = (SELECT min(id) FROM parcels WHERE not_before <= ?1))
    FROM parcels CROSS JOIN process";

/// The open file.
#[derive(Debug)]
pub(super) struct File {
    pub(super) connection: SqliteConnection,
    pub(super) epoch: i64,
    durability: Durability,
}

/// What a commit waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Durability {
    /// The disk: it survives a power cut.
    Synced,
    /// The operating system: it survives the death of the process.
    Written,
}

/// What is in the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) parcels: u64,
    /// Of these, how many wait for their time.
    pub(super) delayed: u64,
    /// As stored.
    pub(super) bytes: u64,
    /// In all parcels, those that are partly settled included whole.
    pub(super) envelopes: u64,
    /// When the first of the delayed is due.
    pub(super) next_due: Option<i64>,
}

impl File {
    /// Opens or creates the file in a new epoch. All leases are void but those of the parcels
    /// `held`.
    pub(super) async fn open(path: &Path, held: &[i64]) -> Result<(File, Counts), Unopened> {
        let failed = |error| Unopened::new(path, &error);
        let mut connection = options(path).connect().await.map_err(failed)?;
        let format: i64 = sqlx::query_scalar("PRAGMA user_version")
            .fetch_one(&mut connection)
            .await
            .map_err(failed)?;
        check_format(path, format)?;
        // Empties the log. After a failed fsync nobody can say which part of it is on the disk, and
        // what is committed behind a hole would be lost with it.
        sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            .execute(&mut connection)
            .await
            .map_err(failed)?;
        let (epoch, counts) = start(&mut connection, held).await.map_err(failed)?;
        Ok((File { connection, epoch, durability: Durability::Synced }, counts))
    }

    /// Says what the commits from here on wait for. Not within a transaction.
    pub(super) async fn wait_for(&mut self, durability: Durability) -> Result<(), sqlx::Error> {
        if self.durability == durability {
            return Ok(());
        }
        // Raw, because SQLite acts on this pragma when it compiles it: run again from a cache of
        // prepared statements it would do nothing.
        let pragma = match durability {
            Durability::Synced => sqlx::raw_sql("PRAGMA synchronous = FULL"),
            Durability::Written => sqlx::raw_sql("PRAGMA synchronous = NORMAL"),
        };
        pragma.execute(&mut self.connection).await?;
        self.durability = durability;
        Ok(())
    }

    /// Numbers the parcels to come from the one after `newest` on. For a file without any.
    pub(super) async fn number_beyond(&mut self, newest: i64) -> Result<(), sqlx::Error> {
        sqlx::query("INSERT INTO sqlite_sequence (name, seq) VALUES ('parcels', ?1)")
            .bind(newest)
            .execute(&mut self.connection)
            .await?;
        Ok(())
    }

    /// Gives space back to the file system after a flood, when next to nothing is left.
    pub(super) async fn shrink(&mut self, counts: &Counts) -> Result<(), sqlx::Error> {
        if counts.bytes > SHRINK_LIVE_BYTES_MAX {
            return Ok(());
        }
        let file_bytes: i64 = sqlx::query_scalar(
            "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",
        )
        .fetch_one(&mut self.connection)
        .await?;
        if file_bytes >= SHRINK_FILE_BYTES_MIN {
            // The checkpoint is what shortens the file.
            let sql = "VACUUM; PRAGMA wal_checkpoint(TRUNCATE)";
            sqlx::raw_sql(sql).execute(&mut self.connection).await?;
        }
        Ok(())
    }

    /// Ends a connection that failed.
    pub(super) async fn abandon(self) -> Result<(), sqlx::Error> {
        self.connection.close().await
    }

    /// Leaves a single file behind, without a log beside it.
    pub(super) async fn close(mut self) -> Result<(), sqlx::Error> {
        self.wait_for(Durability::Synced).await?;
        sqlx::raw_sql("PRAGMA wal_checkpoint(TRUNCATE)").execute(&mut self.connection).await?;
        self.connection.close().await
    }
}

/// Reads how much is waiting, without writing anything.
pub(super) async fn peek(path: &Path) -> Result<QueueStats, QueueError> {
    let failed = |error| unusable(path, &error);
    if !tokio::fs::try_exists(path).await.map_err(|error| failed(error.into()))? {
        return Ok(QueueStats::default());
    }
    let options = SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .busy_timeout(BUSY_TIMEOUT)
        .disable_statement_logging();
    let mut connection = options.connect().await.map_err(failed)?;
    let format: i64 = sqlx::query_scalar("PRAGMA user_version")
        .fetch_one(&mut connection)
        .await
        .map_err(failed)?;
    check_format(path, format)?;
    if format == 0 {
        // Somebody is creating it just now.
        return Ok(QueueStats::default());
    }
    let counted: Result<(i64, i64, i64, Option<Vec<u8>>), _> =
        sqlx::query_as(PEEK).bind(now()).fetch_one(&mut connection).await;
    let (ready, unacked, delayed, first) = counted.map_err(failed)?;
    connection.close().await.map_err(failed)?;
    Ok(QueueStats {
        ready: ready.cast_unsigned(),
        unacked: Some(unacked.cast_unsigned()),
        delayed: delayed.cast_unsigned(),
        oldest: first.and_then(|body| oldest(&body)),
    })
}

/// Of the webhooks in a parcel; `None`: it cannot be read.
fn oldest(body: &[u8]) -> Option<Timestamp> {
    parcel::decode(body).ok()?.iter().map(|envelope| envelope.received_at).min()
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .busy_timeout(BUSY_TIMEOUT)
        // A commit is one append and at most one fsync, and readers do not stand in its way.
        .journal_mode(SqliteJournalMode::Wal)
        // The start itself is on the disk before anything is built on it; see `wait_for`.
        .synchronous(SqliteSynchronous::Full)
        // Pages, 16 MiB: bodies that came and went in between are not copied into the file.
        .pragma("wal_autocheckpoint", "4000")
        // Bytes: a log that grew while somebody read for long is cut back.
        .pragma("journal_size_limit", "67108864")
        // VACUUM works on little; it must not need space in another folder.
        .pragma("temp_store", "MEMORY")
        .thread_name(|_| "embedded-queue".to_owned())
        // Every statement would be a log line.
        .disable_statement_logging()
}

async fn start(
    connection: &mut SqliteConnection,
    held: &[i64],
) -> Result<(i64, Counts), sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::raw_sql(SCHEMA).execute(&mut *transaction).await?;
    let epoch: i64 = sqlx::query_scalar(NEXT_EPOCH).fetch_one(&mut *transaction).await?;
    if !held.is_empty() {
        sqlx::query(MARK_HELD).bind(epoch).bind(list(held)).execute(&mut *transaction).await?;
    }
    let (parcels, delayed, bytes, next_due, envelopes): (i64, i64, i64, Option<i64>, i64) =
        sqlx::query_as(COUNT).fetch_one(&mut *transaction).await?;
    transaction.commit().await?;
    let counts = Counts {
        parcels: parcels.cast_unsigned(),
        delayed: delayed.cast_unsigned(),
        bytes: bytes.cast_unsigned(),
        envelopes: envelopes.cast_unsigned(),
        next_due,
    };
    Ok((epoch, counts))
}

/// How statements take many ids at once.
pub(super) fn list(ids: &[i64]) -> String {
    serde_json::to_string(ids).expect("integers are JSON")
}

fn check_format(path: &Path, format: i64) -> Result<(), QueueError> {
    if format <= FORMAT {
        return Ok(());
    }
    Err(QueueError::Unusable(format!(
        "{} was written by a later version of Onhand (format {format}, known {FORMAT}): \
         start that version, or let it empty the queue first",
        path.display()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn commits_wait_for_the_disk_only_when_told_to_however_often_that_changes() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut file, _) = File::open(&folder.path().join("q.db"), &[]).await.expect("opens");
        for _ in 0..3 {
            for (durability, level) in [(Durability::Synced, 2), (Durability::Written, 1)] {
                file.wait_for(durability).await.expect("told");
                let now: i64 = sqlx::query_scalar("PRAGMA synchronous")
                    .persistent(false)
                    .fetch_one(&mut file.connection)
                    .await
                    .expect("answers");
                assert_eq!(now, level);
            }
        }
    }

    #[tokio::test]
    async fn leases_of_another_epoch_are_void_but_not_those_that_are_still_held() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("q.db");
        let (mut file, _) = File::open(&path, &[]).await.expect("opens");
        sqlx::raw_sql(
            "INSERT INTO parcels (not_before, attempts, lease, envelopes, bytes)
             VALUES (0, 0, 1, 1, 10), (0, 0, 1, 1, 10), (9, 0, 0, 1, 10), (8, 0, 0, 1, 10)",
        )
        .execute(&mut file.connection)
        .await
        .expect("writes");
        file.close().await.expect("closes");

        let (mut file, counts) = File::open(&path, &[2]).await.expect("opens");
        assert_eq!(file.epoch, 2);
        assert_eq!(
            counts,
            Counts { parcels: 4, delayed: 2, bytes: 40, envelopes: 4, next_due: Some(8) }
        );
        let held: Vec<i64> = sqlx::query_scalar("SELECT id FROM parcels WHERE lease = 2")
            .fetch_all(&mut file.connection)
            .await
            .expect("reads");
        assert_eq!(held, [2]);
    }

    #[tokio::test]
    async fn a_file_that_was_flooded_becomes_small_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("q.db");
        let (mut file, counts) = File::open(&path, &[]).await.expect("opens");
        sqlx::raw_sql(
            "INSERT INTO bodies (id, body) VALUES (1, zeroblob(150000000)), (2, x'07');
             DELETE FROM bodies WHERE id = 1;
             PRAGMA wal_checkpoint(TRUNCATE)",
        )
        .execute(&mut file.connection)
        .await
        .expect("writes");
        let size = || std::fs::metadata(&path).expect("is there").len();
        assert!(size() > 150_000_000);
        file.shrink(&Counts { bytes: SHRINK_LIVE_BYTES_MAX + 1, ..counts }).await.expect("looks");
        assert!(size() > 150_000_000);
        file.shrink(&counts).await.expect("shrinks");
        assert!(size() < 100_000);
        let kept: i64 = sqlx::query_scalar("SELECT id FROM bodies")
            .fetch_one(&mut file.connection)
            .await
            .expect("reads");
        assert_eq!(kept, 2);
    }
}
