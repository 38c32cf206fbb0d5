//! The private servers, and the precise faults against them.

use std::time::Duration;

use testkit::chaos::{ChaosProxy, Then, Trigger};
use testkit::services::{Postgres, RabbitMq, TestDatabase};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_postgres::{Client, NoTls};
use tokio_util::task::TaskTracker;

const PATIENCE: Duration = Duration::from_secs(30);

async fn connect(url: &str, tasks: &TaskTracker) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a server answers");
    tasks.spawn(connection);
    client
}

async fn count(client: &Client) -> i64 {
    client.query_one("SELECT count(*) FROM t", &[]).await.expect("the table is there").get(0)
}

#[tokio::test]
async fn a_killed_postgres_comes_back_with_what_was_committed() {
    let mut server = Postgres::start().await;
    let tasks = TaskTracker::new();
    let client = connect(&server.url(), &tasks).await;
    client.batch_execute("CREATE TABLE t (n int); INSERT INTO t VALUES (1)").await.unwrap();
    server.kill9();
    client.batch_execute("INSERT INTO t VALUES (2)").await.unwrap_err();
    server.start_again().await;
    let client = connect(&server.url(), &tasks).await;
    assert_eq!(count(&client).await, 1);
    server.restart_fast().await;
    client.batch_execute("SELECT 1").await.unwrap_err();
    assert_eq!(count(&connect(&server.url(), &tasks).await).await, 1);
}

#[tokio::test]
async fn a_lost_commit_reply_leaves_the_commit_done() {
    let server = Postgres::start().await;
    let proxy = ChaosProxy::start(server.address()).await;
    let tasks = TaskTracker::new();
    let direct = connect(&server.url(), &tasks).await;
    direct.batch_execute("CREATE TABLE t (n int)").await.unwrap();

    let mut client = connect(&proxy.url(&server.url()), &tasks).await;
    proxy.drop_replies_after(Trigger::Commit, Then::Cut);
    let transaction = client.transaction().await.unwrap();
    transaction.execute("INSERT INTO t VALUES (1)", &[]).await.unwrap();
    transaction.commit().await.unwrap_err();
    timeout(PATIENCE, proxy.wait_hit()).await.unwrap();
    assert_eq!(count(&direct).await, 1);

    let client = connect(&proxy.url(&server.url()), &tasks).await;
    let commit = client.prepare("COMMIT").await.unwrap();
    proxy.drop_replies_after(Trigger::Commit, Then::Silence);
    client.batch_execute("BEGIN; INSERT INTO t VALUES (2)").await.unwrap();
    let silence = timeout(Duration::from_millis(200), client.execute(&commit, &[])).await;
    silence.unwrap_err();
    timeout(PATIENCE, proxy.wait_hit()).await.unwrap();
    assert_eq!(count(&direct).await, 2);
    assert_eq!(proxy.hits(), 2);
}

#[tokio::test]
async fn a_test_database_is_gone_when_it_is_dropped() {
    let server = Postgres::start().await;
    let tasks = TaskTracker::new();
    let admin = connect(&server.url(), &tasks).await;
    let names = "SELECT count(*) FROM pg_database WHERE datname LIKE 'onhand_test_%'";
    let database = TestDatabase::create_on(server.url()).await;
    let open = connect(&database.url(), &tasks).await;
    let count: i64 = admin.query_one(names, &[]).await.unwrap().get(0);
    assert_eq!(count, 1);
    drop(database);
    let count: i64 = admin.query_one(names, &[]).await.unwrap().get(0);
    assert_eq!(count, 0, "although a connection was open");
    drop(open);
}

#[tokio::test]
async fn a_broker_survives_a_kill_and_a_stop() {
    async fn greets(broker: &RabbitMq) -> bool {
        let Ok(mut client) = TcpStream::connect(broker.address()).await else { return false };
        client.write_all(b"AMQP\x00\x00\x09\x01").await.unwrap();
        client.read_u8().await.is_ok_and(|kind| kind == 1)
    }
    let mut broker = RabbitMq::start().await;
    assert!(greets(&broker).await);
    broker.kill9();
    assert!(!greets(&broker).await);
    broker.start_again().await;
    assert!(greets(&broker).await);
    broker.stop().await;
    assert!(!greets(&broker).await);
    broker.start_again().await;
    assert!(greets(&broker).await);
}
