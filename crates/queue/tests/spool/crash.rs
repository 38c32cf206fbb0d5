//! What is left when the process is killed, at whatever moment.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use super::*;
use crate::broker::Mode;

/// Tells a process that it is the one to be killed, and where its spool is.
const VICTIM: &str = "ONHAND_TEST_SPOOL_VICTIM";

/// The name of the test below, by which it starts itself anew.
const KILLED: &str = "crash::a_process_that_is_killed_leaves_all_it_answered_and_frees_its_folder";

#[tokio::test]
async fn a_process_that_is_killed_leaves_all_it_answered_and_frees_its_folder() {
    if let Some(folder) = std::env::var_os(VICTIM) {
        return answer_until_killed(folder.as_ref()).await;
    }
    let folder = TempDir::new().expect("a folder");
    let mut victim = Command::new(std::env::current_exe().expect("it runs"))
        .args([KILLED, "--exact", "--nocapture"])
        .env(VICTIM, folder.path())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("it starts");
    let mut lines = BufReader::new(victim.stdout.take().expect("piped")).lines();
    let mut answered = BTreeSet::new();
    soon("answers, and the end of them", async {
        while let Some(line) = lines.next_line().await.expect("readable") {
            let number = line.strip_prefix("answered ").map(|number| number.parse::<u128>());
            answered.extend(number.map(|number| number.expect("a number")));
            if answered.len() == 200 {
                victim.start_kill().expect("it runs");
            }
        }
    })
    .await;
    soon("the end", victim.wait()).await.expect("it is ours");

    assert!(answered.len() >= 200, "it died by itself after {}", answered.len());
    let (spool, broker) = (open(&folder).await, Broker::new(Mode::There));
    draining(&spool, &broker, emptied(&spool)).await;
    assert!(BTreeSet::from_iter(broker.arrived()).is_superset(&answered));
}

/// Thirty-two webhooks at a time, so that the kill comes in the middle of something.
async fn answer_until_killed(folder: &Path) {
    let spool = Spool::open(folder, ROOM).await.expect("opens");
    let publisher = spool.in_front_of(Broker::new(Mode::Away));
    let sender = async |first: u128| {
        for number in (first..).step_by(32) {
            publisher.publish(envelope(number)).await.expect("the spool takes it");
            println!("answered {number}");
        }
    };
    join_all((0..32).map(sender)).await;
}

#[tokio::test]
async fn all_that_was_answered_is_there_after_a_kill() {
    let folder = TempDir::new().expect("a folder");
    let (spool, broker) = (open(&folder).await, Broker::new(Mode::Away));
    publish(&spool.in_front_of(broker.clone()), 0..300).await;

    let left = killed_now(folder.path());
    let (spool, broker) = (open(&left).await, Broker::new(Mode::There));
    assert_eq!(spool.waiting(), 300);
    draining(&spool, &broker, emptied(&spool)).await;
    assert_eq!(broker.arrived().len(), 300);
    assert_eq!(BTreeSet::from_iter(broker.arrived()), (0..300).collect());
}

#[tokio::test]
async fn what_the_broker_had_and_the_spool_had_not_forgotten_comes_again_as_the_same() {
    let folder = TempDir::new().expect("a folder");
    let (spool, broker) = (open(&folder).await, Broker::new(Mode::Away));
    publish(&spool.in_front_of(broker.clone()), 0..10).await;
    broker.set(Mode::Silent);
    let left = draining(&spool, &broker, async {
        broker.wait_for(10).await;
        killed_now(folder.path())
    })
    .await;

    let spool = open(&left).await;
    assert_eq!(spool.waiting(), 10);
    broker.set(Mode::There);
    draining(&spool, &broker, emptied(&spool)).await;
    let twice: Vec<_> = (0..10).chain(0..10).collect();
    assert_eq!(broker.arrived(), twice);
}

#[tokio::test]
async fn a_spool_that_is_dropped_stops_where_it_stands_and_the_next_goes_on() {
    let folder = TempDir::new().expect("a folder");
    let (spool, broker) = (open(&folder).await, Broker::new(Mode::Away));
    publish(&spool.in_front_of(broker.clone()), 0..10).await;
    drop(spool);

    let spool = open(&folder).await;
    assert_eq!(spool.waiting(), 10);
    broker.set(Mode::There);
    draining(&spool, &broker, emptied(&spool)).await;
    assert_eq!(broker.arrived(), (0..10).collect::<Vec<_>>());
}
