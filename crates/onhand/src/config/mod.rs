//! Settings that every subcommand shares: where the data, the queue and the shops are.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use queue::Broker;
use queue::rabbitmq::RabbitMqConfig;
use store::postgres::PostgresConfig;
use store::{AnyStore, Database, StoreError};

use crate::exit::bad_config;

pub(crate) mod alert_url;
pub(crate) mod file;

/// The database's file in the data folder.
pub(crate) const DATABASE_FILE: &str = "onhand.db";

/// The embedded queue's file in the data folder.
pub(crate) const QUEUE_FILE: &str = "queue.db";

/// Connections that a tool may use.
const TOOL_CONNECTIONS: usize = 4;

#[derive(Clone, Debug, Args)]
pub(crate) struct Settings {
    /// Folder for the embedded database and queue
    #[arg(long, global = true, env = "ONHAND_DATA_DIR", default_value = "./onhand-data")]
    pub(crate) data_dir: PathBuf,

    /// Database: sqlite://PATH or postgres://USER:PASSWORD@HOST/DATABASE
    /// [default: a SQLite file in the data folder]
    #[arg(long, global = true, env = "ONHAND_DATABASE_URL", hide_env_values = true)]
    pub(crate) database_url: Option<String>,

    /// Queue: embedded, or amqp(s)://USER:PASSWORD@HOST/VHOST of a RabbitMQ
    #[arg(
        long,
        global = true,
        env = "ONHAND_BROKER_URL",
        hide_env_values = true,
        default_value = "embedded"
    )]
    pub(crate) broker_url: String,

    /// What the names of all queues and exchanges start with; the same in every process of one
    /// fleet. Fleets that share a broker differ in it
    #[arg(long, global = true, env = "ONHAND_BROKER_PREFIX", default_value = "onhand")]
    pub(crate) broker_prefix: String,

    /// Over how many queues of a RabbitMQ webhooks are spread, by shop and order; the same in every
    /// process of one fleet. One is enough up to what one queue takes (docs/scaling.md)
    #[arg(long, global = true, env = "ONHAND_PARTITIONS", default_value_t = 1,
          value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) partitions: u16,

    /// The shops file: who may send, with which secrets, under which rules
    #[arg(long, global = true, env = "ONHAND_SHOPS", default_value = "./shops.toml")]
    pub(crate) shops: PathBuf,

    /// Settings file; read if it is there [default: ./onhand.toml]
    #[arg(long, global = true, env = "ONHAND_CONFIG")]
    pub(crate) config: Option<PathBuf>,

    /// What is logged, as `info` or `info,worker=debug` [default: info for roles, warn for tools]
    #[arg(long, global = true, env = "ONHAND_LOG")]
    pub(crate) log: Option<String>,

    /// How logs look
    #[arg(long, global = true, env = "ONHAND_LOG_FORMAT", default_value = "pretty")]
    pub(crate) log_format: LogFormat,

    /// Print JSON instead of text for people
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Pretty,
    Json,
}

impl Settings {
    /// `max_connections`: to a PostgreSQL.
    pub(crate) fn database(&self, max_connections: usize) -> anyhow::Result<Database> {
        let Some(url) = &self.database_url else {
            return Ok(Database::Sqlite(self.data_dir.join(DATABASE_FILE)));
        };
        match url.split_once("://") {
            Some(("postgres" | "postgresql", _)) => {
                Ok(Database::Postgres(PostgresConfig { url: url.clone(), max_connections }))
            }
            Some(("sqlite", path)) if !path.is_empty() => Ok(Database::Sqlite(path.into())),
            _ => Err(bad_config(
                "ONHAND_DATABASE_URL (--database-url) is neither sqlite://PATH nor \
                 postgres://USER:PASSWORD@HOST/DATABASE; \
                 for example postgres://onhand:secret@localhost/onhand",
            )),
        }
    }

    /// `user`: the broker shows it as the connection's name.
    pub(crate) fn broker(&self, user: &str) -> anyhow::Result<Broker> {
        match self.broker_url.split_once("://") {
            Some(("amqp" | "amqps", _)) => Ok(Broker::RabbitMq(RabbitMqConfig {
                prefix: self.broker_prefix.clone(),
                partitions: self.partitions,
                connection_name: format!("onhand/{user} pid {}", std::process::id()),
                ..RabbitMqConfig::new(&self.broker_url)
            })),
            None if self.broker_url == "embedded" => {
                Ok(Broker::Embedded(self.data_dir.join(QUEUE_FILE)))
            }
            _ => Err(bad_config(
                "ONHAND_BROKER_URL (--broker-url) is neither `embedded` nor \
                 amqp(s)://USER:PASSWORD@HOST/VHOST; \
                 for example amqp://guest:guest@localhost:5672/%2f",
            )),
        }
    }
}

impl Settings {
    /// The store for a tool: it must be there already, with the schema that this program needs.
    pub(crate) async fn open_store(&self) -> anyhow::Result<AnyStore> {
        let database = self.database(TOOL_CONNECTIONS)?;
        if let Database::Sqlite(path) = &database
            && !path.exists()
        {
            let missing = format!(
                "there is no database at {}; `onhand serve` or `onhand migrate` makes it, \
                 or name another with --data-dir or --database-url",
                path.display()
            );
            return Err(StoreError::Unavailable(missing.into()).into());
        }
        Ok(database.open().await?)
    }
}
