//! What each step costs one webhook: `cargo bench -p benches`.
//!
//! Bodies are those of the simulator, each another order, 7 KB.

use std::hint::black_box;
use std::sync::Arc;

use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use domain::{
    ChangeSet, Decided, Envelope, EnvelopeId, Incoming, Keys, LocationId, Meaning, Move, MoveKind,
    Outcome, Policy, Sku, StockKey, Timestamp, View,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use platforms::{Shops, shopify};
use queue::parcel;
use store::postgres::{Postgres, PostgresConfig};
use store::sqlite::Sqlite;
use store::{Commit, Store};
use testkit::memory::MemoryStore;
use testkit::shopify::{DOMAIN, SECRET, ShopifyOrder, SignedWebhook};
use tokio::runtime::Runtime;
use uuid::Uuid;

const NOW: Timestamp = Timestamp(1_795_262_400_000_000);

/// Orders of one batch.
const BATCH: u64 = 256;

fn shops() -> Arc<Shops> {
    let text = format!(
        "[[shop]]\nname = \"demo\"\nplatform = \"shopify\"\ndomain = \"{DOMAIN}\"\n\
         secrets = [\"plain:{SECRET}\"]\n"
    );
    let resolve = |secret: &str| Ok(secret.trim_start_matches("plain:").to_owned());
    Arc::new(Shops::parse(&text, resolve).expect("a good shops file"))
}

fn placed(id: u64) -> SignedWebhook {
    ShopifyOrder::new(id).line(&format!("SKU-{}", id % 100), 1).webhook("orders/create")
}

fn envelopes(first: u64, count: u64) -> Vec<Envelope> {
    (first..first + count).map(|id| placed(id).envelope("demo", NOW)).collect()
}

fn headers(webhook: &SignedWebhook) -> HeaderMap {
    let header = |(name, value): (&'static str, String)| {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
        (name, HeaderValue::from_str(&value).expect("text"))
    };
    webhook.headers().into_iter().map(header).collect()
}

fn verify(c: &mut Criterion) {
    let (shops, webhook) = (shops(), placed(1));
    let headers = headers(&webhook);
    let mut group = c.benchmark_group("verify");
    group.throughput(Throughput::Bytes(webhook.body.len().try_into().unwrap_or(0)));
    group.bench_function("one webhook", |b| {
        b.iter(|| {
            let id = EnvelopeId(Uuid::nil());
            let body: Bytes = webhook.body.clone();
            black_box(shopify::receive(&headers, body, &shops, id, NOW)).expect("signed");
        });
    });
    group.finish();
}

fn parcels(c: &mut Criterion) {
    let envelopes = envelopes(1, 64);
    let packed = parcel::encode(&envelopes).expect("fits");
    let mut group = c.benchmark_group("parcel");
    group.throughput(Throughput::Elements(64));
    group.bench_function("pack 64", |b| b.iter(|| parcel::encode(black_box(&envelopes))));
    group.bench_function("unpack 64", |b| b.iter(|| parcel::decode(black_box(&packed))));
    group.finish();
}

fn parse(c: &mut Criterion) {
    let envelope = envelopes(1, 1).remove(0);
    c.bench_function("parse/one webhook", |b| b.iter(|| platforms::parse(black_box(&envelope))));
}

/// What is parsed already, decided over stock that is loaded already.
fn decide(c: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let memory = MemoryStore::default();
    let view = runtime.block_on(open_stock(&memory));
    let webhooks = parsed(1);
    let mut group = c.benchmark_group("batch of 256");
    group.throughput(Throughput::Elements(BATCH));
    group.bench_function("decide", |b| {
        b.iter_batched(
            || view.clone(),
            |view| decided(view, black_box(&webhooks)),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

/// What is decided already, written and fsynced.
fn commit(c: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let mut group = c.benchmark_group("batch of 256");
    group.throughput(Throughput::Elements(BATCH)).sample_size(20);
    let sqlite = runtime.block_on(async {
        let sqlite = Sqlite::open(&folder.path().join("bench.db"), true).await.expect("opens");
        sqlite.migrate().await.expect("migrates");
        sqlite
    });
    committed(&runtime, &mut group, "commit: SQLite", &sqlite);
    let server = runtime.block_on(testkit::services::Postgres::start_with(&["fsync=on"]));
    let postgres = runtime.block_on(async {
        let config = PostgresConfig { url: server.url(), max_connections: 2 };
        Postgres::migrate(&config).await.expect("migrates");
        Postgres::new(&config).expect("a good URL")
    });
    committed(&runtime, &mut group, "commit: PostgreSQL", &postgres);
    group.finish();
}

fn committed<S: Store>(
    runtime: &Runtime,
    group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>,
    name: &str,
    store: &S,
) {
    runtime.block_on(open_stock(store));
    let mut next = 1;
    group.bench_function(name, |b| {
        b.iter_batched(
            || {
                next += BATCH;
                decided(runtime.block_on(stock(store)), &parsed(next))
            },
            |changes| {
                let commit = runtime.block_on(store.commit(&changes)).expect("the store is there");
                assert_eq!(commit, Commit::Applied);
            },
            BatchSize::PerIteration,
        );
    });
}

/// A batch of orders that nobody has seen.
fn parsed(first: u64) -> Vec<(Incoming, Meaning)> {
    let understood = |envelope: Envelope| {
        let incoming = Incoming {
            key: envelope.key(),
            shop: envelope.shop.clone(),
            envelope: envelope.id,
            topic: envelope.topic.clone(),
            received_at: NOW,
            attempts: 0,
            replay: false,
        };
        (incoming, platforms::parse(&envelope))
    };
    envelopes(first, BATCH).into_iter().map(understood).collect()
}

fn decided(view: View, webhooks: &[(Incoming, Meaning)]) -> ChangeSet {
    let (mut batch, policy) = (domain::Batch::new(view), Policy::default());
    for (incoming, meaning) in webhooks {
        let decided = batch.webhook(incoming, meaning, &policy, NOW, Vec::new);
        let applied = matches!(&decided, Decided::Verdict(it) if it.outcome == Outcome::Applied);
        assert!(applied, "{decided:?}");
    }
    batch.into_changes()
}

/// Makes stock, and loads it.
async fn open_stock<S: Store>(store: &S) -> View {
    let mut batch = domain::Batch::new(domain::View::default());
    let cause = domain::stock::Cause {
        shop: None,
        order: None,
        webhook: None,
        correlation: EnvelopeId(Uuid::nil()),
        reason: "opening".to_owned(),
    };
    for place in 0..100 {
        let key = StockKey::new(&Sku::new(format!("SKU-{place}")), &LocationId::new("main"));
        let units = 1_000_000_000;
        let kind = MoveKind::Opening;
        let change = Move { key, kind, on_hand_delta: units, committed_delta: 0 };
        batch.move_stock(change, &cause, NOW).expect("allowed");
    }
    store.commit(&batch.into_changes()).await.expect("commits");
    stock(store).await
}

async fn stock<S: Store>(store: &S) -> View {
    let skus = (0..100).map(|place| Sku::new(format!("SKU-{place}"))).collect();
    store.load(&Keys { skus, ..Keys::default() }).await.expect("loads")
}

criterion_group!(all, verify, parcels, parse, decide, commit);
criterion_main!(all);
