//! A damaged file makes way for an empty one.
//!
//! For a spool only: in front of it is a broker that may take everything, and a file that nobody can
//! use helps nobody. Of the main queue there is no second, so that refuses instead.
//!
//! Nothing is deleted. The file and its log get another name, under which SQLite finds them
//! together, and stay where they are until somebody has saved what can be read. If the process dies
//! in the middle, the log may have its new name and the file not yet: the next one then sets the file
//! aside under a name of its own, and nothing is lost by it.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use super::command::now;
use super::fault::{Cause, Unopened};
use super::file::{Counts, File};
use super::measure;
use crate::QueueError;

/// With so many beside it the disk itself is what is broken, and another empty file would be the
/// next one.
const SET_ASIDE_MAX: usize = 16;

/// What SQLite keeps beside a file. Moved before it, because with an empty file in its place SQLite
/// would delete a log that is not of it.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// Sets the file at `path` aside and opens an empty one, whose first parcel is numbered beyond
/// `newest`. `why` is what the file did.
pub(super) async fn replace(
    path: &Path,
    newest: i64,
    why: &str,
) -> Result<(File, Counts), Unopened> {
    let aside = set_aside(path).await.map_err(|error| {
        let path = path.display();
        let told = format!("{path} is damaged ({why}) and cannot be set aside: {error}");
        // Whether it can is up to the disk, and the folder may have been tidied when it is tried
        // again.
        Unopened { error: QueueError::Unusable(told), cause: Cause::Disk }
    })?;
    tracing::error!(
        error = why,
        spool.damaged_file = %aside.display(),
        "the spool's file is damaged: it was set aside, and an empty one takes its place. Webhooks \
         that waited in it were answered 200 and may not have reached the broker. The README \
         (\"Limits, plainly\") says how to hand over what can still be read"
    );
    measure::set_aside(count(path).await);
    let (mut file, counts) = File::open(path, &[]).await?;
    file.number_beyond(newest).await.map_err(|error| Unopened::new(path, &error))?;
    Ok((file, counts))
}

async fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let already = count(path).await;
    if already >= SET_ASIDE_MAX {
        let why = format!("{already} damaged files are there already; is the disk failing?");
        return Err(io::Error::other(why));
    }
    // Microseconds: no two have the same name, and none is ever written over.
    let aside = joined(&joined(path, ".damaged-"), now().to_string());
    for beside in BESIDE {
        match tokio::fs::rename(joined(path, beside), joined(&aside, beside)).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            renamed => renamed?,
        }
    }
    tokio::fs::rename(path, &aside).await?;
    Ok(aside)
}

/// How many files were set aside from `path` and are still there.
pub(super) async fn count(path: &Path) -> usize {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return 0 };
    let prefix = joined(Path::new(name), ".damaged-");
    let Ok(mut entries) = tokio::fs::read_dir(folder).await else { return 0 };
    let mut count = 0;
    while let Ok(Some(entry)) = entries.next_entry().await {
        let name = entry.file_name();
        let (name, prefix) = (name.as_encoded_bytes(), prefix.as_os_str().as_encoded_bytes());
        let time = name.strip_prefix(prefix);
        count += usize::from(time.is_some_and(|time| time.iter().all(u8::is_ascii_digit)));
    }
    count
}

fn joined(path: &Path, more: impl AsRef<OsStr>) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(more);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_and_its_log_are_set_aside_together_and_none_is_ever_written_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("q.db");
        for at in 0..SET_ASIDE_MAX {
            assert_eq!(count(&path).await, at);
            std::fs::write(&path, format!("file {at}")).expect("written");
            std::fs::write(joined(&path, "-wal"), format!("log {at}")).expect("written");
            let aside = set_aside(&path).await.expect("set aside");
            let read = |path: &Path| std::fs::read_to_string(path).expect("it is there");
            assert_eq!(read(&aside), format!("file {at}"));
            assert_eq!(read(&joined(&aside, "-wal")), format!("log {at}"));
            assert!(!path.exists() && !joined(&path, "-wal").exists());
        }
        std::fs::write(&path, "one too many").expect("written");
        let refused = set_aside(&path).await.expect_err("there is a limit");
        assert!(refused.to_string().contains("disk"), "{refused}");
        assert!(path.exists());
    }

    #[tokio::test]
    async fn parcels_of_the_new_file_are_never_taken_for_those_of_the_old_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("q.db");
        std::fs::write(&path, "no database").expect("written");
        let (mut file, counts) = replace(&path, 41, "it is broken").await.expect("replaced");
        assert_eq!(counts, Counts::default());
        let id: i64 = sqlx::query_scalar(
            "INSERT INTO parcels (not_before, attempts, envelopes, bytes) VALUES (0, 0, 1, 1)
             RETURNING id",
        )
        .fetch_one(&mut file.connection)
        .await
        .expect("written");
        assert_eq!(id, 42);
    }
}
