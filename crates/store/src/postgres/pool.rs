//! Connections: how they are made, bounded, and thrown away when in doubt.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{
    Hook, HookError, Manager, ManagerConfig, Object, PoolError, RecyclingMethod, Runtime, Status,
    Timeouts,
};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error::from_postgres;
use crate::StoreError;
use crate::measure::{self, Connections};

/// For metrics.
const POOL: &str = "postgres";

/// How long a caller waits for a free connection, and a connection for the server.
const ACQUIRE_SECONDS: u64 = 5;

/// How long one flight may take before its connection is thrown away. Longer than the server's own
/// `statement_timeout`, which answers first while the server lives.
const FLIGHT_SECONDS: u64 = 15;

/// Session settings that the promises rest on; nothing is left to a server's defaults.
const SESSION: &str = "
    SET synchronous_commit = on;                       -- P1, P8: applied means durable
    SET default_transaction_isolation = 'read committed'; -- versions and row locks do the rest
    SET statement_timeout = '10s';                     -- nothing here takes longer, but for verify
    SET lock_timeout = '5s';                           -- a stuck lane must not stop the others
    SET idle_in_transaction_session_timeout = '10s';   -- nor must one that died
    -- A batch finds its rows by key. Before a table's first ANALYZE, and after it grew since, the
    -- planner takes reading it from end to end for the better way, and a kept plan stays so.
    SET enable_seqscan = off;
    SET jit = off;                                     -- nothing here is worth compiling
    SET max_parallel_workers_per_gather = 0;           -- nor starting processes for
";

/// Where the database is.
#[derive(Clone)]
pub struct PostgresConfig {
    /// `postgres://user:password@host:port/database?sslmode=…`
    pub url: String,
    /// At most so many connections.
    pub max_connections: usize,
}

impl fmt::Debug for PostgresConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL holds a password.
        f.debug_struct("PostgresConfig")
            .field("max_connections", &self.max_connections)
            .finish_non_exhaustive()
    }
}

#[derive(Clone)]
pub(super) struct Pool(deadpool_postgres::Pool);

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pool").field(&self.0.status()).finish()
    }
}

impl Pool {
    pub(super) fn new(config: &PostgresConfig) -> Result<Self, StoreError> {
        let mut server: tokio_postgres::Config = config.url.parse().map_err(from_postgres)?;
        server
            .application_name("onhand")
            .connect_timeout(Duration::from_secs(ACQUIRE_SECONDS))
            // A vanished server is noticed in half a minute, not in two hours.
            .tcp_user_timeout(Duration::from_secs(FLIGHT_SECONDS))
            .keepalives_idle(Duration::from_secs(10));
        // Fast: a connection that broke while idle is noticed at its first use, which is retried.
        let manager_config = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(server, tls()?, manager_config);
        let acquire = Some(Duration::from_secs(ACQUIRE_SECONDS));
        let pool = deadpool_postgres::Pool::builder(manager)
            .max_size(config.max_connections)
            .timeouts(Timeouts { wait: acquire, create: acquire, recycle: acquire })
            .runtime(Runtime::Tokio1)
            .post_create(Hook::async_fn(|client, _| {
                Box::pin(
                    async move { client.batch_execute(SESSION).await.map_err(HookError::Backend) },
                )
            }))
            .build()
            .map_err(|error| StoreError::Unavailable(error.into()))?;
        Ok(Self(pool))
    }

    pub(super) async fn get(&self) -> Result<Connection, StoreError> {
        let got = measure::timed(POOL, self.0.get()).await;
        let client = got.map_err(|error| match error {
            PoolError::Backend(error) => from_postgres(error),
            error => StoreError::Unavailable(error.into()),
        })?;
        Ok(Connection { client: Some(client) })
    }

    pub(super) fn connections(&self) -> Connections {
        let Status { max_size, size, available, .. } = self.0.status();
        Connections { pool: POOL, open: size, idle: available, max: max_size }
    }

    pub(super) fn close(&self) {
        self.0.close();
    }
}

/// TLS is there for when the URL's `sslmode` asks for it.
fn tls() -> Result<MakeRustlsConnect, StoreError> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| StoreError::Unavailable(error.into()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// A pooled connection. It goes back to the pool only when whoever used it saw the end of what it
/// asked for: dropped in the middle (a timeout, a cancelled task), it is closed, because answers
/// may still be on their way.
pub(super) struct Connection {
    client: Option<Object>,
}

impl Connection {
    pub(super) fn client(&self) -> &Object {
        self.client.as_ref().expect("held until done")
    }

    /// Everything that was asked for was answered: the connection may serve others.
    pub(super) fn done(mut self) {
        drop(self.client.take());
    }

    /// One statement outside a transaction.
    pub(super) async fn query(
        self,
        sql: &'static str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, StoreError> {
        let rows = self
            .bounded(async {
                let statement = self.prepare(sql).await?;
                self.client().query(&statement, params).await.map_err(from_postgres)
            })
            .await?;
        self.done();
        Ok(rows)
    }

    pub(super) async fn prepare(&self, sql: &'static str) -> Result<Statement, StoreError> {
        self.client().prepare_cached(sql).await.map_err(from_postgres)
    }

    /// Bounds work on this connection by time.
    pub(super) async fn bounded<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        tokio::time::timeout(Duration::from_secs(FLIGHT_SECONDS), work)
            .await
            .unwrap_or_else(|elapsed| Err(StoreError::Unavailable(elapsed.into())))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            drop(Object::take(client));
        }
    }
}
