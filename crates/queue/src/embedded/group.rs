//! A group: what one transaction does to the file.
//!
//! All of it happens or none. The order within matters: a retry reads the parcel that is about to
//! be deleted, and what has just been published or given back can be taken at once.

use sqlx::{Connection, Sqlite, SqliteConnection, Transaction};

use super::command::{Leased, Retry, Settle};
use super::file::{Counts, Durability, File, list};
use crate::parcel;

/// Of what waits for its time, how much becomes ready in one transaction.
const PROMOTED_MAX: i64 = 1000;

/// Stored bytes that one consumer gets at once, a larger single parcel apart. Bounds its memory,
/// at some five times this for orders as platforms write them.
const TAKEN_BYTES_MAX: i64 = 2 * 1024 * 1024;

const INSERT: &str = "
    INSERT INTO parcels (not_before, attempts, deliveries, envelopes, bytes)
    VALUES (?1, ?2, ?3, ?4, ?5)";

const INSERT_BODY: &str = "INSERT INTO bodies (id, body) VALUES (?1, ?2)";

/// A parcel without its body would be a damaged file: shown as unreadable, not passed over.
const READ: &str = "
    SELECT attempts, deliveries, coalesce(body, x'') FROM parcels LEFT JOIN bodies USING (id)
    WHERE id = ?1";

const DELETE: &str = "
    DELETE FROM parcels WHERE id IN (SELECT value FROM json_each(?1)) RETURNING bytes, envelopes";

const DELETE_BODIES: &str = "DELETE FROM bodies WHERE id IN (SELECT value FROM json_each(?1))";

const GIVE_BACK: &str = "
    UPDATE parcels SET lease = 0 WHERE id IN (SELECT value FROM json_each(?1))";

/// As if it had never been taken.
const RETURN: &str = "
    UPDATE parcels SET lease = 0, deliveries = max(deliveries - 1, 0)
    WHERE id IN (SELECT value FROM json_each(?1))";

const PROMOTE: &str = "
    UPDATE parcels SET not_before = 0 WHERE id IN (
        SELECT id FROM parcels WHERE not_before > 0 AND not_before <= ?1
        ORDER BY not_before LIMIT ?2
    )";

const NEXT_DUE: &str = "SELECT min(not_before) FROM parcels WHERE not_before > 0";

/// By this index only, because it does not hold what waits for its time, however much that is.
const READY: &str = "
    SELECT id, envelopes, bytes FROM parcels INDEXED BY parcels_ready
    WHERE not_before = 0 AND lease < ?1 ORDER BY id LIMIT ?2";

const MARK_TAKEN: &str = "
    UPDATE parcels SET lease = ?1, deliveries = deliveries + 1
    WHERE id IN (SELECT value FROM json_each(?2))";

const READ_TAKEN: &str = "
    SELECT id, attempts, deliveries, coalesce(body, x'') FROM parcels LEFT JOIN bodies USING (id)
    WHERE id IN (SELECT value FROM json_each(?1)) ORDER BY id";

/// What is to be done in one transaction.
#[derive(Debug)]
pub(super) struct Group<'a> {
    pub(super) parcels: &'a [Packed],
    pub(super) owed: &'a Owed,
    /// How many envelopes each waiting consumer wants.
    pub(super) wanted: &'a [usize],
    pub(super) now: i64,
}

/// New envelopes, packed.
#[derive(Debug)]
pub(super) struct Packed {
    pub(super) envelopes: usize,
    pub(super) body: Vec<u8>,
}

/// What must get into the file sooner or later: kept until a transaction with it has succeeded.
#[derive(Debug, Default)]
pub(super) struct Owed {
    pub(super) settle: Settle,
    pub(super) given_back: Vec<i64>,
    /// Handed out to somebody who did not look into them.
    pub(super) untouched: Vec<i64>,
}

impl Owed {
    pub(super) fn is_empty(&self) -> bool {
        self.settle.finished.is_empty()
            && self.settle.retries.is_empty()
            && self.given_back.is_empty()
            && self.untouched.is_empty()
    }
}

/// What a transaction led to.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) counts: Counts,
    /// For each waiting consumer in turn, maybe nothing.
    pub(super) taken: Vec<Vec<Leased>>,
}

impl Group<'_> {
    /// Does it all. After an error nobody knows whether it is in the file.
    pub(super) async fn write(
        &self,
        file: &mut File,
        mut counts: Counts,
    ) -> Result<Written, sqlx::Error> {
        let durability =
            if self.parcels.is_empty() { Durability::Written } else { Durability::Synced };
        file.wait_for(durability).await?;
        let mut transaction = file.connection.begin_with("BEGIN IMMEDIATE").await?;
        retry(&mut transaction, &self.owed.settle.retries, &mut counts).await?;
        delete(&mut transaction, &self.owed.settle.finished, &mut counts).await?;
        give_back(&mut transaction, GIVE_BACK, &self.owed.given_back).await?;
        give_back(&mut transaction, RETURN, &self.owed.untouched).await?;
        for parcel in self.parcels {
            let envelopes = i64::try_from(parcel.envelopes).unwrap_or(i64::MAX);
            insert(&mut transaction, 0, Past::default(), envelopes, &parcel.body, &mut counts)
                .await?;
        }
        promote(&mut transaction, self.now, &mut counts).await?;
        let taken = take(&mut transaction, file.epoch, self.wanted).await?;
        transaction.commit().await?;
        Ok(Written { counts, taken })
    }
}

/// What a parcel has been through.
#[derive(Clone, Copy, Debug, Default)]
struct Past {
    attempts: u32,
    deliveries: u32,
}

async fn insert(
    connection: &mut SqliteConnection,
    not_before: i64,
    past: Past,
    envelopes: i64,
    body: &[u8],
    counts: &mut Counts,
) -> Result<(), sqlx::Error> {
    let bytes = i64::try_from(body.len()).unwrap_or(i64::MAX);
    let inserted = sqlx::query(INSERT)
        .bind(not_before)
        .bind(past.attempts)
        .bind(past.deliveries)
        .bind(envelopes)
        .bind(bytes)
        .execute(&mut *connection)
        .await?;
    sqlx::query(INSERT_BODY)
        .bind(inserted.last_insert_rowid())
        .bind(body)
        .execute(&mut *connection)
        .await?;
    counts.parcels += 1;
    counts.bytes += bytes.cast_unsigned();
    counts.envelopes += envelopes.cast_unsigned();
    Ok(())
}

/// Writes each envelope anew, as a parcel of its own that waits; those that are only held, together.
/// A parcel that nobody can read waits as it is.
async fn retry(
    transaction: &mut Transaction<'_, Sqlite>,
    retries: &[Retry],
    counts: &mut Counts,
) -> Result<(), sqlx::Error> {
    for same_parcel in retries.chunk_by(|one, next| one.parcel == next.parcel) {
        let parcel = same_parcel[0].parcel;
        let read: Option<(u32, u32, Vec<u8>)> =
            sqlx::query_as(READ).bind(parcel).fetch_optional(&mut **transaction).await?;
        // Not there: this very transaction had been written before, and only its answer was lost.
        let Some((attempts, deliveries, read)) = read else { continue };
        let envelopes = parcel::decode(&read).unwrap_or_default();
        let go_together = |one: &Retry, next: &Retry| {
            !one.tried && !next.tried && one.not_before == next.not_before
        };
        for same_wait in same_parcel.chunk_by(go_together) {
            let Retry { not_before, tried, .. } = same_wait[0];
            // One that is only held was not looked into this time, but keeps what it did before.
            let past = match tried {
                true => Past { attempts: attempts.saturating_add(1), deliveries: 0 },
                false => Past { attempts, deliveries: deliveries.saturating_sub(1) },
            };
            let part = parcel::part(&envelopes, same_wait.iter().map(|retry| retry.index));
            let body = part.map(|(_, parcel)| parcel);
            let body = body.as_deref().unwrap_or(&read);
            let count = i64::try_from(same_wait.len()).unwrap_or(i64::MAX);
            insert(transaction, not_before, past, count, body, counts).await?;
            counts.delayed += 1;
            counts.next_due = Some(counts.next_due.unwrap_or(i64::MAX).min(not_before));
        }
    }
    Ok(())
}

async fn delete(
    transaction: &mut Transaction<'_, Sqlite>,
    finished: &[i64],
    counts: &mut Counts,
) -> Result<(), sqlx::Error> {
    if finished.is_empty() {
        return Ok(());
    }
    let ids = list(finished);
    let deleted: Vec<(i64, i64)> =
        sqlx::query_as(DELETE).bind(&ids).fetch_all(&mut **transaction).await?;
    sqlx::query(DELETE_BODIES).bind(&ids).execute(&mut **transaction).await?;
    for (bytes, envelopes) in deleted {
        counts.parcels = counts.parcels.saturating_sub(1);
        counts.bytes = counts.bytes.saturating_sub(bytes.cast_unsigned());
        counts.envelopes = counts.envelopes.saturating_sub(envelopes.cast_unsigned());
    }
    Ok(())
}

async fn give_back(
    transaction: &mut Transaction<'_, Sqlite>,
    sql: &'static str,
    parcels: &[i64],
) -> Result<(), sqlx::Error> {
    if !parcels.is_empty() {
        sqlx::query(sql).bind(list(parcels)).execute(&mut **transaction).await?;
    }
    Ok(())
}

/// Makes ready what has waited its time.
async fn promote(
    transaction: &mut Transaction<'_, Sqlite>,
    now: i64,
    counts: &mut Counts,
) -> Result<(), sqlx::Error> {
    if counts.next_due.is_none_or(|due| due > now) {
        return Ok(());
    }
    let promoted =
        sqlx::query(PROMOTE).bind(now).bind(PROMOTED_MAX).execute(&mut **transaction).await?;
    counts.delayed = counts.delayed.saturating_sub(promoted.rows_affected());
    counts.next_due = sqlx::query_scalar(NEXT_DUE).fetch_one(&mut **transaction).await?;
    Ok(())
}

/// Takes the oldest ready parcels for the consumers, marks and counts them as handed out.
async fn take(
    transaction: &mut Transaction<'_, Sqlite>,
    epoch: i64,
    wanted: &[usize],
) -> Result<Vec<Vec<Leased>>, sqlx::Error> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    // Every parcel holds at least one envelope.
    let most = wanted.iter().fold(0, |sum: usize, max| sum.saturating_add((*max).max(1)));
    let ready: Vec<(i64, i64, i64)> = sqlx::query_as(READY)
        .bind(epoch)
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .fetch_all(&mut **transaction)
        .await?;
    let shares = share(&ready, wanted);
    let ids: Vec<i64> = ready.iter().take(shares.iter().sum()).map(|(id, ..)| *id).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let ids = list(&ids);
    sqlx::query(MARK_TAKEN).bind(epoch).bind(&ids).execute(&mut **transaction).await?;
    let rows: Vec<(i64, u32, u32, Vec<u8>)> =
        sqlx::query_as(READ_TAKEN).bind(&ids).fetch_all(&mut **transaction).await?;
    let mut leased = rows.into_iter().map(|(parcel, attempts, deliveries, body)| Leased {
        parcel,
        attempts,
        deliveries,
        body,
    });
    Ok(shares.into_iter().map(|parcels| leased.by_ref().take(parcels).collect()).collect())
}

/// How many of the ready parcels (id, envelopes, bytes) go to each consumer: as many as do not
/// exceed what it wants, but never none while there is one.
fn share(ready: &[(i64, i64, i64)], wanted: &[usize]) -> Vec<usize> {
    let mut rest = ready.iter().peekable();
    let mut shares = Vec::with_capacity(wanted.len());
    for max in wanted {
        let max = i64::try_from(*max).unwrap_or(i64::MAX);
        let (mut parcels, mut envelopes, mut bytes) = (0, 0_i64, 0_i64);
        while let Some((_, more, heavier)) = rest.next_if(|(_, more, heavier)| {
            let fits = envelopes.saturating_add(*more) <= max
                && bytes.saturating_add(*heavier) <= TAKEN_BYTES_MAX;
            parcels == 0 || fits
        }) {
            parcels += 1;
            envelopes = envelopes.saturating_add(*more);
            bytes = bytes.saturating_add(*heavier);
        }
        shares.push(parcels);
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::super::command::now;
    use super::*;

    /// `PRAGMA synchronous`: a commit waits until the disk has it, or only until the system has.
    const FULL: i64 = 2;
    const NORMAL: i64 = 1;

    /// Writes so many parcels in one transaction, and says what its commit waited for: the level
    /// cannot change within a transaction.
    async fn level_of(file: &mut File, parcels: usize, owed: &Owed) -> i64 {
        let envelopes = 1;
        let parcels: Vec<_> =
            (0..parcels).map(|_| Packed { envelopes, body: vec![1, 2, 3] }).collect();
        let group = Group { parcels: &parcels, owed, wanted: &[10], now: now() };
        group.write(file, Counts::default()).await.expect("written");
        sqlx::query_scalar("PRAGMA synchronous")
            // From a cache of prepared statements it would tell what was.
            .persistent(false)
            .fetch_one(&mut file.connection)
            .await
            .expect("answers")
    }

    #[tokio::test]
    async fn what_is_published_is_on_the_disk_before_anybody_is_told_so() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut file, _) = File::open(&folder.path().join("q.db"), &[]).await.expect("opens");
        let journal: String = sqlx::query_scalar("PRAGMA journal_mode")
            .fetch_one(&mut file.connection)
            .await
            .expect("answers");
        // In this mode FULL means an fsync of the log in each commit.
        assert_eq!(journal, "wal");
        let nothing = Owed::default();
        let settled =
            Owed { settle: Settle { finished: vec![1], retries: Vec::new() }, ..Owed::default() };
        assert_eq!(level_of(&mut file, 1, &nothing).await, FULL, "the first");
        // Marks and settlements may be lost with the power: their parcels come again then.
        assert_eq!(level_of(&mut file, 0, &settled).await, NORMAL);
        assert_eq!(level_of(&mut file, 1, &nothing).await, FULL, "after one that did not wait");
        assert_eq!(level_of(&mut file, 0, &nothing).await, NORMAL);
        assert_eq!(
            level_of(&mut file, 2, &settled).await,
            FULL,
            "together with what need not wait"
        );
    }

    #[test]
    fn consumers_get_whole_parcels_in_turn_and_at_least_one() {
        let ready = [(1, 64, 10), (2, 1, 10), (3, 9, 10), (4, 1, TAKEN_BYTES_MAX), (5, 1, 10)];
        assert_eq!(share(&ready, &[1, 10]), [1, 2]);
        assert_eq!(share(&ready, &[100]), [3]);
        assert_eq!(share(&ready, &[100, 100, 100, 100]), [3, 1, 1, 0]);
        assert_eq!(share(&[], &[100]), [0]);
        assert_eq!(share(&ready, &[0]), [1]);
    }
}
