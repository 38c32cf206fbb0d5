//! A disk without room: nothing is lost, nothing dies, and it mends itself.
//!
//! The limit on file sizes stands in for the disk: it can be set for one process, without rights,
//! and lifted while that runs.

use std::process::Stdio;
use std::time::Instant;

use metrics_exporter_prometheus::PrometheusBuilder;
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use tokio::process::Command;

use super::*;
use crate::broker::Mode;

/// Tells a process that its files are limited, and where its spool is.
const LIMITED: &str = "ONHAND_TEST_SPOOL_LIMITED";

/// The name of the test below, by which it starts itself anew.
const ITSELF: &str = "disk::a_full_disk_refuses_and_forgets_nothing_and_goes_on_when_it_has_room";

/// Bytes per file.
const LIMIT: &str = "600000";

/// Longer than the writer leaves a file alone that it could not write.
const FULL_FOR_GOOD: Duration = Duration::from_secs(2);

#[tokio::test]
async fn a_full_disk_refuses_and_forgets_nothing_and_goes_on_when_it_has_room() {
    if let Some(folder) = std::env::var_os(LIMITED) {
        return fill_and_go_on(folder.as_ref()).await;
    }
    let folder = TempDir::new().expect("a folder");
    // Without the signal the write fails, as it does on a full disk. Only the soft limit is set.
    let limited = format!("trap '' XFSZ; exec prlimit --fsize={LIMIT}: \"$0\" \"$@\"");
    let output = Command::new("sh")
        .args(["-c", &limited])
        .arg(std::env::current_exe().expect("it runs"))
        .args([ITSELF, "--exact", "--nocapture"])
        .env(LIMITED, folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .output();
    let output = soon("the end of the limited process", output).await.expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// What no compression makes smaller.
fn heavy(number: u128) -> Envelope {
    let words = (0..1_000_u64).map(|at| {
        let mut word = (at + 1).wrapping_mul(u64::try_from(number).expect("small") + 7);
        for _ in 0..3 {
            word = (word ^ (word >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
        word.to_le_bytes()
    });
    Envelope { body: words.flatten().collect::<Vec<u8>>().into(), ..envelope(number) }
}

async fn fill_and_go_on(folder: &Path) {
    let spool = Spool::open(folder, ROOM).await.expect("opens");
    let broker = Broker::new(Mode::Away);
    let publisher = spool.in_front_of(broker.clone());
    let mut answered = BTreeSet::new();
    let mut last_yes = Instant::now();
    // A first failure may pass: what is in the log moves into the file.
    for number in 0.. {
        match publisher.publish(heavy(number)).await {
            Ok(()) => last_yes = answered.insert(number).then(Instant::now).expect("a new one"),
            Err(PublishError::Unavailable(_)) if last_yes.elapsed() > FULL_FOR_GOOD => break,
            Err(PublishError::Unavailable(_)) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(answered.len() > 10, "{answered:?}");
    assert!(!publisher.is_ready(), "no broker and no room");
    drop((publisher, spool));

    // Started again on the full disk: the broker alone must do.
    let spool =
        Spool::open(folder, ROOM).await.expect("a full disk keeps no process from starting");
    let publisher = spool.in_front_of(broker.clone());
    assert!(publisher.publish(heavy(0)).await.is_err());
    broker.set(Mode::There);
    publish(&publisher, [1_000_000]).await;
    broker.set(Mode::Away);

    let lifted = Command::new("prlimit")
        .args(["--pid", &std::process::id().to_string(), "--fsize=unlimited:"])
        .status()
        .await;
    assert!(lifted.is_ok_and(|status| status.success()), "the limit can be lifted");
    soon("room", async {
        while publisher.publish(envelope(2_000_000)).await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(spool.waiting() > u64::try_from(answered.len()).expect("small"));
    broker.set(Mode::There);
    draining(&spool, &broker, emptied(&spool)).await;
    assert!(BTreeSet::from_iter(broker.arrived()).is_superset(&answered));
    spool.close().await;
}

#[tokio::test]
async fn what_the_file_could_not_forget_at_once_is_not_shown_for_ever() {
    let recorder = PrometheusBuilder::new().build_recorder();
    // The runtime of a test has one thread, so this reaches all tasks.
    let _guard = metrics::set_default_local_recorder(&recorder);
    let handle = recorder.handle();
    let shows = async |line: &str| {
        soon(line, async {
            while !handle.render().lines().any(|have| have == line) {
                tokio::task::yield_now().await;
            }
        })
        .await;
    };
    let folder = TempDir::new().expect("a folder");
    let (spool, broker) = (open(&folder).await, Broker::new(Mode::Away));
    publish(&spool.in_front_of(broker.clone()), 0..10).await;
    let file = SqliteConnectOptions::new().filename(folder.path().join("spool.db"));
    let mut other = file.connect().await.expect("the file opens");
    draining(&spool, &broker, async {
        soon("all of it lent", async {
            let free = "SELECT count(*) FROM parcels WHERE lease = 0";
            while sqlx::query_scalar(free).fetch_one(&mut other).await.unwrap_or(1_i64) > 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
        sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut other).await.expect("locked");
        broker.set(Mode::There);
        shows("onhand_spool_drained_total 10").await;
        assert_eq!(spool.waiting(), 10, "the file is locked");
        sqlx::raw_sql("ROLLBACK").execute(&mut other).await.expect("unlocked");
        shows("onhand_spool_envelopes 0").await;
    })
    .await;
    assert_eq!((broker.arrived().len(), spool.waiting()), (10, 0));
}
