//! A file that is damaged: it makes way, it is kept, and the broker never waits for it.

use std::io::{Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use metrics_exporter_prometheus::PrometheusBuilder;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

use super::*;
use crate::broker::Mode;

const PAGE_BYTES: u64 = 4096;

/// What may be damaged in a file. Of the first page SQLite reads the header and the list of tables;
/// a table or an index is met when it is used.
const PARTS: [&str; 6] = ["header", "tables", "process", "parcels", "parcels_ready", "bodies"];

fn file_in(folder: &TempDir) -> PathBuf {
    folder.path().join("spool.db")
}

/// Damages a closed file, and says what it holds from then on.
async fn damage(folder: &TempDir, part: &str) -> Vec<u8> {
    let path = file_in(folder);
    let (at, length) = match part {
        "header" => (0, 100),
        "tables" => (100, PAGE_BYTES - 100),
        name => {
            let options = SqliteConnectOptions::new().filename(&path).read_only(true);
            let mut connection = options.connect().await.expect("the file opens");
            let page: i64 = sqlx::query_scalar("SELECT rootpage FROM sqlite_schema WHERE name = ?")
                .bind(name)
                .fetch_one(&mut connection)
                .await
                .expect("there is such a tree");
            connection.close().await.expect("closes");
            ((page.cast_unsigned() - 1) * PAGE_BYTES, PAGE_BYTES)
        }
    };
    let mut file = std::fs::File::options().read(true).write(true).open(path).expect("opens");
    file.seek(SeekFrom::Start(at)).expect("it is that long");
    file.write_all(&vec![0x5a; usize::try_from(length).expect("a page")]).expect("damaged");
    file.rewind().expect("readable");
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).expect("readable");
    bytes
}

/// The damaged files that were set aside, and what they hold.
fn set_aside(folder: &TempDir) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder.path()).expect("readable");
    let names = entries.map(|entry| entry.expect("readable").path());
    let aside = names.filter(|path| {
        let name = path.file_name().expect("it has a name").to_string_lossy().into_owned();
        name.starts_with("spool.db.damaged-") && !name.ends_with("-wal") && !name.ends_with("-shm")
    });
    aside.map(|path| std::fs::read(path).expect("readable")).collect()
}

/// A folder in which ten webhooks wait, in a closed file.
async fn holding_ten() -> TempDir {
    let folder = TempDir::new().expect("a folder");
    let (spool, broker) = (open(&folder).await, Broker::new(Mode::Away));
    let publisher = spool.in_front_of(broker);
    for number in 0..10 {
        // One after the other, so that each is a parcel.
        publish(&publisher, [number]).await;
    }
    spool.close().await;
    folder
}

#[tokio::test]
async fn whatever_is_damaged_webhooks_are_taken_spooled_and_drained() {
    for part in PARTS {
        let folder = holding_ten().await;
        let damaged = damage(&folder, part).await;
        let (spool, broker) = (open(&folder).await, Broker::new(Mode::There));
        let publisher = spool.in_front_of(broker.clone());
        publish(&publisher, [100]).await;
        assert_eq!(broker.arrived(), [100], "{part}: the broker needs no spool");

        // Not one of these is refused, whenever the damage is met.
        broker.set(Mode::Away);
        publish(&publisher, 101..110).await;
        broker.set(Mode::There);
        draining(&spool, &broker, async {
            publish(&publisher, 110..120).await;
            emptied(&spool).await;
            broker.set(Mode::Away);
            publish(&publisher, 120..130).await;
            broker.set(Mode::There);
            emptied(&spool).await;
        })
        .await;
        let arrived = BTreeSet::from_iter(broker.arrived());
        assert!(arrived.is_superset(&(100..130).collect()), "{part}: {arrived:?}");

        let aside = set_aside(&folder);
        assert_eq!(aside.len(), 1, "{part}");
        assert_eq!(aside[0].len(), damaged.len(), "{part}: what was there is kept");
        spool.close().await;
        assert_eq!(open(&folder).await.waiting(), 0, "{part}");
        assert_eq!(set_aside(&folder), aside, "{part}: it stays, and stays the only one");
    }
}

#[tokio::test]
async fn what_is_on_its_way_when_the_damage_is_met_settles_nothing_of_the_new_file() {
    let folder = holding_ten().await;
    let (spool, broker) = (open(&folder).await, Broker::new(Mode::Silent));
    let publisher = spool.in_front_of(broker.clone());
    draining(&spool, &broker, async {
        // All ten are lent, under their numbers in this file.
        broker.wait_for(10).await;
        broker.set(Mode::Away);
        let options = SqliteConnectOptions::new().filename(file_in(&folder));
        let mut other = options.connect().await.expect("the file opens");
        // The next webhook finds its row taken, as after a page that came back from the past.
        let past = "UPDATE sqlite_sequence SET seq = 0; DELETE FROM parcels WHERE id > 3";
        sqlx::raw_sql(past).execute(&mut other).await.expect("damaged");
        other.close().await.expect("closes");
        publish(&publisher, 100..103).await;
        assert_eq!(set_aside(&folder).len(), 1);
        broker.set(Mode::There);
        emptied(&spool).await;
    })
    .await;
    let arrived = BTreeSet::from_iter(broker.arrived());
    assert_eq!(arrived, (0..10).chain(100..103).collect(), "nothing was lost with the file");
}

#[tokio::test]
async fn a_damaged_file_is_counted_and_one_that_cannot_be_set_aside_leaves_the_broker() {
    let recorder = PrometheusBuilder::new().build_recorder();
    // The runtime of a test has one thread, so this reaches all tasks.
    let _guard = metrics::set_default_local_recorder(&recorder);
    let handle = recorder.handle();
    let counted = |files: usize| {
        let line = format!("onhand_spool_damaged_files {files}");
        assert!(handle.render().lines().any(|have| have == line), "no {line}");
    };
    let folder = holding_ten().await;
    counted(0);
    damage(&folder, "header").await;
    open(&folder).await.close().await;
    counted(1);

    // A disk that damages one file after the other is not filled with them.
    for time in 0..20 {
        std::fs::write(folder.path().join(format!("spool.db.damaged-{time}")), "").expect("made");
    }
    damage(&folder, "header").await;
    let (spool, broker) = (open(&folder).await, Broker::new(Mode::There));
    counted(21);
    let publisher = spool.in_front_of(broker.clone());
    publish(&publisher, [1]).await;
    broker.set(Mode::Away);
    assert!(!publisher.is_ready());
    let refused = publisher.publish(envelope(2)).await.expect_err("there is nowhere to go");
    assert!(refused.to_string().contains("is the disk failing?"), "{refused}");

    // Somebody has looked, and it goes on by itself.
    for time in 0..20 {
        std::fs::remove_file(folder.path().join(format!("spool.db.damaged-{time}"))).expect("gone");
    }
    soon("an empty file", async {
        while publisher.publish(envelope(3)).await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    counted(2);
}
