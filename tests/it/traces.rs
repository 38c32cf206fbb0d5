//! One webhook is one trace, from its request to its commit, across processes; and telling of it
//! never costs the webhook anything.

use std::collections::BTreeSet;

use testkit::shopify::{ShopifyOrder, SignedWebhook};

use crate::harness::{Collector, Fleet, Profile, Told, eventually, in_both_profiles};

in_both_profiles!(
    a_webhook_is_one_trace_from_its_request_to_its_commit,
    what_is_not_sampled_is_not_told,
    a_collector_that_does_not_answer_costs_no_webhook_and_no_stop,
);

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SENDER: &str = "b7ad6b7169203331";

/// OpenTelemetry's numbers for kinds of spans.
const INTERNAL: i32 = 1;
const SERVER: i32 = 2;
const CLIENT: i32 = 3;
const PRODUCER: i32 = 4;
const CONSUMER: i32 = 5;

async fn start(profile: Profile, settings: &[(&'static str, String)]) -> Fleet {
    let mut fleet = Fleet::prepare(profile).await;
    fleet.settings.extend(settings.iter().cloned());
    fleet.start_all(1).await;
    fleet.stock("CAP", 100).await;
    fleet
}

fn order(id: u64) -> SignedWebhook {
    ShopifyOrder::new(id).line("CAP", 1).webhook("orders/create")
}

/// Sends a webhook whose sender has begun a trace.
async fn send(fleet: &Fleet, webhook: &SignedWebhook, traceparent: &str) {
    let mut headers = webhook.headers();
    headers.push(("traceparent", traceparent.to_owned()));
    assert_eq!(fleet.deliver(&headers, &webhook.body).await.status, 200);
}

fn the<'a>(spans: &'a [Told], name: &str) -> &'a Told {
    let mut found = spans.iter().filter(|span| span.name.split(' ').next() == Some(name));
    match (found.next(), found.next()) {
        (Some(span), None) => span,
        _ => panic!("not one {name} in {spans:#?}"),
    }
}

async fn a_webhook_is_one_trace_from_its_request_to_its_commit(profile: Profile) {
    let collector = Collector::start().await;
    let fleet = start(profile, &[collector.setting()]).await;
    let webhook = order(1);
    send(&fleet, &webhook, &format!("00-{TRACE}-{SENDER}-01")).await;
    // Each process tells its last spans when it stops.
    fleet.finish().await;

    let spans = collector.of(TRACE);
    assert_eq!(spans.len(), 5, "{spans:#?}");
    let request = the(&spans, "POST");
    let publish = the(&spans, "publish");
    let consume = the(&spans, "consume");
    let (decide, commit) = (the(&spans, "decide"), the(&spans, "commit"));
    let chain = [
        (request, SENDER, SERVER),
        (publish, &*request.id, PRODUCER),
        (consume, &*publish.id, CONSUMER),
        (decide, &*consume.id, INTERNAL),
        (commit, &*consume.id, CLIENT),
    ];
    for (span, parent, kind) in chain {
        assert_eq!((&*span.parent, span.kind), (parent, kind), "{span:#?}");
        assert!(span.began <= span.ended && span.error.is_none(), "{span:#?}");
    }
    assert_eq!(consume.links, [(TRACE.to_owned(), publish.id.clone())]);
    assert!(request.began <= publish.began && publish.ended <= request.ended);
    assert!(consume.began <= decide.began && decide.ended <= commit.began);
    assert!(commit.ended <= consume.ended);

    let services = match profile {
        Profile::Embedded => ["onhand", "onhand"],
        Profile::Fleet => ["onhand-ingress", "onhand-worker"],
    };
    let told_by = |span: &Told| span.service.clone();
    assert_eq!([request, publish].map(told_by), [services[0]; 2]);
    assert_eq!([consume, decide, commit].map(told_by), [services[1]; 3]);
    for (span, attribute, value) in [
        (request, "http.response.status_code", "200"),
        (request, "http.route", "/webhooks/shopify"),
        (request, "onhand.webhook.topic", "orders/create"),
        (consume, "onhand.webhook.id", &webhook.webhook_id),
        (consume, "onhand.outcome", "applied"),
        (commit, "messaging.batch.message_count", "1"),
    ] {
        assert_eq!(span.attribute(attribute).as_deref(), Some(value), "{attribute}: {span:#?}");
    }
    let id = publish.attribute("messaging.message.id");
    assert!(id.is_some() && id == consume.attribute("messaging.message.id"));
}

async fn what_is_not_sampled_is_not_told(profile: Profile) {
    let collector = Collector::start().await;
    let (sampler, ratio) = ("OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG");
    let none_of_ours = [(sampler, "parentbased_traceidratio".to_owned()), (ratio, "0".to_owned())];
    let settings = [&none_of_ours[..], &[collector.setting()]].concat();
    let fleet = start(profile, &settings).await;
    let unsampled = "1".repeat(32);
    send(&fleet, &order(1), &format!("00-{unsampled}-{SENDER}-00")).await;
    send(&fleet, &order(2), "not a traceparent").await;
    assert_eq!(fleet.send(&order(3)).await, 200);
    // A forged request has no right to a span, whatever it says.
    let forged = order(4).signed_with("another-secret");
    let mut headers = forged.headers();
    headers.push(("traceparent", format!("00-{}-{SENDER}-01", "2".repeat(32))));
    assert_eq!(fleet.deliver(&headers, &forged.body).await.status, 401);
    send(&fleet, &order(5), &format!("00-{TRACE}-{SENDER}-01")).await;
    fleet.finish().await;

    let told = collector.told();
    let traces: BTreeSet<_> = told.iter().map(|span| span.trace.as_str()).collect();
    assert_eq!(traces, BTreeSet::from([TRACE]), "{told:#?}");
    assert_eq!(told.len(), 5);
}

async fn a_collector_that_does_not_answer_costs_no_webhook_and_no_stop(profile: Profile) {
    let collector = Collector::dumb().await;
    let fleet = start(profile, &[collector.setting()]).await;
    assert_eq!(fleet.outcome(&order(1)).await.0, "applied");
    let front = fleet.front.as_ref().expect("it runs");
    eventually("spans are given up and counted", async || {
        let dropped = front.counter("onhand_trace_spans_dropped_total").await;
        (dropped > 0.0).then_some(())
    })
    .await;
    front.says("the collector does not take spans").await;
    assert_eq!(fleet.outcome(&order(2)).await.0, "applied");
    // Spans wait, and nobody takes them.
    fleet.finish().await;
}

#[tokio::test]
async fn webhooks_without_a_trace_begin_one_each_and_a_parcel_is_linked_to_all_of_its_own() {
    let collector = Collector::start().await;
    let fleet = start(Profile::Fleet, &[collector.setting()]).await;
    let webhooks: Vec<_> = (1..=300).map(order).collect();
    fleet.burst(webhooks, 48).done().await;
    fleet.finish().await;

    let told = collector.told();
    let named = |name: &'static str| told.iter().filter(move |span| span.name.starts_with(name));
    let publishes: BTreeSet<_> =
        named("publish ").map(|span| (span.trace.clone(), span.id.clone())).collect();
    let traces: BTreeSet<_> = publishes.iter().map(|(trace, _)| trace).collect();
    assert_eq!((traces.len(), publishes.len()), (300, 300), "one trace each");
    assert!(named("POST ").all(|span| span.parent.is_empty()), "they began here");
    for name in ["consume", "decide", "commit"] {
        let in_traces: BTreeSet<_> = named(name).map(|span| &span.trace).collect();
        assert_eq!(in_traces, traces, "{name}");
    }
    let mut sends = named("send ").peekable();
    assert!(sends.peek().is_some(), "48 connections and four lanes fill no parcel with two");
    for send in sends {
        assert_eq!(
            send.attribute("messaging.batch.message_count"),
            Some(send.links.len().to_string())
        );
        assert!(send.links.len() > 1 && send.links.iter().all(|link| publishes.contains(link)));
        assert_eq!((&send.trace, &send.parent), (&send.links[0].0, &send.links[0].1));
    }
}

#[tokio::test]
async fn settings_of_traces_that_nobody_can_follow_are_named_with_an_example() {
    let fleet = Fleet::bare(Profile::Embedded);
    for (flag, value, example) in [
        ("--otlp-endpoint", "localhost:4317", "http://localhost:4318"),
        ("--traces-sampler", "xray", "parentbased_traceidratio"),
    ] {
        let mut args = vec!["serve", flag, value];
        if flag != "--otlp-endpoint" {
            args.extend(["--otlp-endpoint", "http://localhost:4318"]);
        }
        fleet.cli(&args).await.fails_with(2).names(&[flag, example]);
    }
    fleet.discard();
}
