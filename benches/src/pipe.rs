//! The bare parcel pipe: what RabbitMQ and PostgreSQL can do at all with these webhooks on this
//! machine, with nothing decided. The yardstick for everything else.
//!
//! HTTP and HMAC → parcels of up to 64, zstd, confirmed → consumed, parsed → one INSERT … unnest and
//! one UPDATE per batch → acknowledged together. It keeps no promise: no inbox key, no versions, no
//! ledger, no order.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use domain::{Envelope, EnvelopeId, Fact, Meaning, Platform, ShopId, Timestamp, WebhookId};
use platforms::signature::Claim;
use queue::rabbitmq::{RabbitMq, RabbitMqConfig, RabbitPublisher};
use queue::{Consumer, Content, Publisher, Settlement};
use secrecy::SecretString;
use tokio_postgres::NoTls;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::roles::SECRET;

/// As an Onhand worker has by default.
const LANES: usize = 2;
const BATCH: usize = 1024;
/// Parcels.
const PREFETCH: u16 = 64;

const SCHEMA: &str = "
    CREATE TABLE bare (webhook_id text NOT NULL, order_id text NOT NULL, sku text, units bigint);
    CREATE TABLE bare_stock (sku text PRIMARY KEY, committed bigint NOT NULL) WITH (fillfactor = 50);
    INSERT INTO bare_stock SELECT 'SKU-' || lpad(i::text, 5, '0'), 0 FROM generate_series(1, 1000) i";

#[derive(Clone)]
struct Ingress {
    publisher: RabbitPublisher,
    secret: Arc<SecretString>,
}

/// Answers webhooks on `listen` until it is killed.
pub(crate) async fn ingress(listen: &str, broker: &str) -> anyhow::Result<()> {
    let queue = RabbitMq::connect(config(broker)).await?;
    let secret = Arc::new(SecretString::from(SECRET));
    let state = Ingress { publisher: queue.publisher(), secret };
    let routes = Router::new()
        .route("/webhooks/shopify", post(receive))
        .route("/readyz", get(|| async {}))
        .with_state(state);
    axum::serve(tokio::net::TcpListener::bind(listen).await?, routes).await?;
    Ok(())
}

async fn receive(State(to): State<Ingress>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let signed = Claim::from_base64(header("x-shopify-hmac-sha256"))
        .is_some_and(|claim| claim.is_by_any([&*to.secret], &body));
    if !signed {
        return StatusCode::UNAUTHORIZED;
    }
    let envelope = Envelope {
        id: EnvelopeId(Uuid::now_v7()),
        platform: Platform::Shopify,
        provider: None,
        shop: ShopId::new("demo"),
        webhook: WebhookId::new(header("x-shopify-webhook-id")),
        topic: header("x-shopify-topic").to_owned(),
        event: None,
        api_version: None,
        triggered_at: None,
        received_at: Timestamp(0),
        signature: None,
        signed_by: None,
        traceparent: None,
        body,
    };
    match to.publisher.publish(envelope).await {
        Ok(()) => StatusCode::OK,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// Makes the tables.
pub(crate) async fn prepare(database: &str) -> anyhow::Result<()> {
    connect(database).await?.batch_execute(SCHEMA).await.context("cannot make the bare tables")
}

/// Rows inserted so far.
pub(crate) async fn count(database: &str) -> anyhow::Result<i64> {
    let row = connect(database).await?.query_one("SELECT count(*) FROM bare", &[]).await?;
    Ok(row.get(0))
}

/// Consumes until it is killed.
pub(crate) async fn worker(database: &str, broker: &str) -> anyhow::Result<()> {
    let queue = RabbitMq::connect(config(broker)).await?;
    let lanes = (0..LANES).map(|_| lane(&queue, database));
    futures_util::future::try_join_all(lanes).await.map(drop)
}

async fn lane(queue: &RabbitMq, database: &str) -> anyhow::Result<()> {
    let mut consumer = queue.consumer(PREFETCH);
    let client = connect(database).await?;
    let insert = client
        .prepare("INSERT INTO bare SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[])")
        .await?;
    let update = client
        .prepare(
            "UPDATE bare_stock AS s SET committed = s.committed + t.units
             FROM (SELECT s.sku, t.units FROM unnest($1::text[], $2::bigint[]) AS t (sku, units)
                   JOIN bare_stock AS s USING (sku) ORDER BY s.sku FOR NO KEY UPDATE OF s) AS t
             WHERE s.sku = t.sku",
        )
        .await?;
    loop {
        let deliveries = consumer.next_batch(BATCH).await;
        let (mut webhooks, mut orders, mut skus, mut units) = (vec![], vec![], vec![], vec![]);
        let mut sums: BTreeMap<String, i64> = BTreeMap::new();
        let mut settled = Vec::with_capacity(deliveries.len());
        for delivery in deliveries {
            settled.push((delivery.id, Settlement::Done));
            let Content::Envelope(envelope) = delivery.content else { continue };
            let Meaning::Fact(Fact::Order(fact)) = platforms::parse(&envelope) else { continue };
            let sku = fact.lines.values().next().and_then(|line| line.sku.clone());
            let sku = sku.map(|sku| sku.to_string()).unwrap_or_default();
            *sums.entry(sku.clone()).or_default() += 1;
            webhooks.push(envelope.webhook.to_string());
            orders.push(fact.order.to_string());
            skus.push(sku);
            units.push(1_i64);
        }
        let (names, sums): (Vec<_>, Vec<_>) = sums.into_iter().unzip();
        let rows: [&(dyn ToSql + Sync); 4] = [&webhooks, &orders, &skus, &units];
        let moves: [&(dyn ToSql + Sync); 2] = [&names, &sums];
        // One flight: sent in this order before the first answer is read.
        let (_, _, _, committed) = tokio::join!(
            biased;
            client.batch_execute("BEGIN"),
            client.execute(&insert, &rows),
            client.execute(&update, &moves),
            client.batch_execute("COMMIT"),
        );
        committed?;
        consumer.settle(settled).await;
    }
}

async fn connect(database: &str) -> anyhow::Result<tokio_postgres::Client> {
    let (client, connection) = tokio_postgres::connect(database, NoTls).await?;
    #[expect(clippy::disallowed_methods, reason = "ends with its client, as this process does")]
    tokio::spawn(async move { drop(connection.await) });
    Ok(client)
}

fn config(url: &str) -> RabbitMqConfig {
    RabbitMqConfig { prefix: "bare".to_owned(), ..RabbitMqConfig::new(url) }
}
