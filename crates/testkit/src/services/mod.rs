//! PostgreSQL, RabbitMQ and Redis for tests.
//!
//! Most tests share the servers that `scripts/test` starts and only make a database
//! ([`test_database`]) or a name prefix for queues ([`test_prefix`]) there. Tests that kill or
//! restart a server start a private one: [`Postgres`], [`RabbitMq`] and [`Redis`] listen on free ports, keep
//! their data in a temporary folder and go away when they are dropped.

use std::io;
use std::net::{Ipv4Addr, TcpListener};

mod database;
mod postgres;
mod process;
mod rabbitmq;
mod redis;

pub use database::{TestDatabase, test_database};
pub use postgres::Postgres;
pub use rabbitmq::RabbitMq;
pub use redis::Redis;

/// The URL of the broker that tests share.
pub fn test_amqp_url() -> String {
    required("ONHAND_TEST_AMQP_URL", "amqp://guest:guest@127.0.0.1:5672/%2f")
}

/// A prefix for names of queues and exchanges on the shared broker that no other test uses.
pub fn test_prefix() -> String {
    format!("test-{}", short_id())
}

/// A name that nothing else has, fit for identifiers everywhere.
fn short_id() -> String {
    // The random half: the first half of a version 7 id is the time, the same in parallel tests.
    uuid::Uuid::now_v7().simple().to_string()[16..].to_owned()
}

fn required(name: &str, example: &str) -> String {
    optional(name).unwrap_or_else(|| {
        panic!("{name} is not set: run the tests with scripts/test, or set it to such as {example}")
    })
}

#[expect(clippy::disallowed_methods, reason = "tests take their servers from the environment")]
fn optional(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A port that nobody listens on. Somebody else could take it before we do; the kernel hands out
/// its free ports in random order, so that is rare, and the panic then shows the server's log.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|l| l.local_addr());
    listener.expect("there is a free port").port()
}

/// A folder that a user other than ours may enter.
fn open_folder() -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    tempfile::Builder::new()
        .prefix("onhand-test-")
        .permissions(std::fs::Permissions::from_mode(0o755))
        .tempdir()
        .expect("a temporary folder can be made")
}

fn last_lines(path: &std::path::Path, lines: usize) -> io::Result<String> {
    let text = std::fs::read_to_string(path)?;
    let all: Vec<&str> = text.lines().collect();
    Ok(all[all.len().saturating_sub(lines)..].join("\n"))
}
