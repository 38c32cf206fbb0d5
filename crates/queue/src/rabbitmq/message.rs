//! What goes into an AMQP message beside the parcel, and what is read from one. Pure.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use domain::Envelope;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};

use super::topology::{DELIVERY_LIMIT, Names, WEBHOOKS_KEY};
use crate::parcel::{self, TooLarge};

/// How often this one waited on the retry ladder. Ours, because the broker's own counter counts
/// other things in each of its versions.
const ATTEMPTS: &str = "onhand-attempts";

/// How often it was handed out without being settled before it was held: a closing channel counts, and
/// publishing it again must not forget that.
const REDELIVERIES: &str = "onhand-redeliveries";

/// Set on what was given up and then waited on the ladder: why.
const GIVEN_UP: &str = "onhand-given-up";

/// Set by quorum queues from the second delivery on.
const DELIVERY_COUNT: &str = "x-delivery-count";

/// Set by the broker on a dead letter: a table for each queue it died in, the newest first.
const DEATHS: &str = "x-death";

/// Where the parcel's sending is in a trace, under its name in the W3C's draft for AMQP.
const TRACEPARENT: &str = "traceparent";

/// What OpenTelemetry calls RabbitMQ.
pub(super) const SYSTEM: &str = "rabbitmq";

/// Written to disk before it is confirmed, which quorum queues do anyway.
const PERSISTENT: u8 = 2;

const CONTENT_TYPE: &str = "application/vnd.onhand.parcel";

/// A message to be published.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) exchange: String,
    pub(super) routing_key: String,
    pub(super) payload: Bytes,
    pub(super) properties: BasicProperties,
}

/// Envelopes of one partition on their first way, as one parcel.
pub(super) fn webhooks(
    names: &Names,
    partition: usize,
    envelopes: &[Envelope],
    traceparent: Option<String>,
) -> Result<Message, TooLarge> {
    let id = envelopes.first().map(|first| first.id.to_string()).unwrap_or_default();
    let mut properties = properties().with_message_id(id.into());
    if let Some(traceparent) = traceparent {
        let mut headers = FieldTable::default();
        headers.insert(TRACEPARENT.into(), AMQPValue::LongString(traceparent.into()));
        properties = properties.with_headers(headers);
    }
    Ok(Message {
        exchange: names.exchange.clone(),
        routing_key: names.key(partition).to_owned(),
        payload: parcel::encode(envelopes)?.into(),
        properties,
    })
}

/// Some envelopes of a parcel, as a parcel of their own.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) payload: Bytes,
    pub(super) traceparent: Option<String>,
}

/// Something that has to wait. Headers of the old message are not carried on: the broker takes a
/// message that went round by dead-lettering alone for a cycle, and drops it.
pub(super) fn retry(
    names: &Names,
    wait: Duration,
    Part { payload, traceparent }: Part,
    past: &Told,
) -> Message {
    let mut headers = history(past);
    if let Some(traceparent) = traceparent {
        headers.insert(TRACEPARENT.into(), AMQPValue::LongString(traceparent.into()));
    }
    Message {
        exchange: String::new(),
        routing_key: names.rung(wait).to_owned(),
        payload,
        properties: properties().with_headers(headers),
    }
}

/// A message that nobody looked into, back to where lanes take it from.
pub(super) fn again(names: &Names, payload: Bytes, told: &Told) -> Message {
    Message {
        exchange: names.exchange.clone(),
        routing_key: WEBHOOKS_KEY.to_owned(),
        payload,
        properties: properties().with_headers(history(told)),
    }
}

fn history(past: &Told) -> FieldTable {
    let mut headers = FieldTable::default();
    headers.insert(ATTEMPTS.into(), AMQPValue::LongLongInt(i64::from(past.attempts)));
    if past.redeliveries > 0 {
        let redeliveries = AMQPValue::LongLongInt(i64::from(past.redeliveries));
        headers.insert(REDELIVERIES.into(), redeliveries);
    }
    if let Some(why) = &past.given_up {
        headers.insert(GIVEN_UP.into(), AMQPValue::LongString(why.as_str().into()));
    }
    headers
}

fn properties() -> BasicProperties {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    BasicProperties::default()
        .with_delivery_mode(PERSISTENT)
        .with_content_type(CONTENT_TYPE.into())
        .with_timestamp(now.as_secs())
}

/// Where a message was waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Webhooks,
    Dead,
    Unrouted,
}

/// What a message's properties tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) attempts: u32,
    pub(super) redeliveries: u32,
    pub(super) given_up: Option<String>,
}

pub(super) fn read(source: Source, properties: &BasicProperties, redelivered: bool) -> Told {
    let header = |name| properties.headers().as_ref().and_then(|all| all.inner().get(name));
    let counted = header(DELIVERY_COUNT).and_then(number).unwrap_or(0);
    let before = header(REDELIVERIES).and_then(number).unwrap_or(0);
    let given_up = match source {
        Source::Webhooks => header(GIVEN_UP).and_then(text),
        Source::Dead => Some(cause_of_death(header(DEATHS))),
        Source::Unrouted => Some("the broker had no route for it".to_owned()),
    };
    Told {
        attempts: header(ATTEMPTS).and_then(number).unwrap_or(0),
        // RabbitMQ 4.3 does not count every return to the queue, but flags it.
        redeliveries: counted.max(u32::from(redelivered)).saturating_add(before),
        given_up,
    }
}

fn cause_of_death(deaths: Option<&AMQPValue>) -> String {
    let newest = match deaths {
        Some(AMQPValue::FieldArray(deaths)) => deaths.as_slice().first(),
        _ => None,
    };
    let reason = match newest {
        Some(AMQPValue::FieldTable(death)) => death.inner().get("reason").and_then(text),
        _ => None,
    };
    match reason.as_deref() {
        Some("delivery_limit") => {
            format!("handed out more than {DELIVERY_LIMIT} times without being settled")
        }
        Some(reason) => format!("the broker set it aside: {reason}"),
        None => "the broker set it aside".to_owned(),
    }
}

/// A header's number, whatever width a broker or an earlier version gave it.
fn number(value: &AMQPValue) -> Option<u32> {
    let wide = match value {
        AMQPValue::ShortShortInt(n) => i64::from(*n),
        AMQPValue::ShortShortUInt(n) => i64::from(*n),
        AMQPValue::ShortInt(n) => i64::from(*n),
        AMQPValue::ShortUInt(n) => i64::from(*n),
        AMQPValue::LongInt(n) => i64::from(*n),
        AMQPValue::LongUInt(n) => i64::from(*n),
        AMQPValue::LongLongInt(n) => *n,
        _ => return None,
    };
    Some(u32::try_from(wide.max(0)).unwrap_or(u32::MAX))
}

fn text(value: &AMQPValue) -> Option<String> {
    match value {
        AMQPValue::LongString(text) => Some(String::from_utf8_lossy(text.as_bytes()).into_owned()),
        AMQPValue::ShortString(text) => Some(text.as_str().to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(source: Source, headers: &[(&str, AMQPValue)], redelivered: bool) -> Told {
        let mut table = FieldTable::default();
        for (name, value) in headers {
            table.insert((*name).into(), value.clone());
        }
        read(source, &BasicProperties::default().with_headers(table), redelivered)
    }

    #[test]
    fn a_first_delivery_has_no_history() {
        let fresh = Told { attempts: 0, redeliveries: 0, given_up: None };
        assert_eq!(read(Source::Webhooks, &BasicProperties::default(), false), fresh);
    }

    #[test]
    fn what_is_written_for_a_retry_is_read_after_it() {
        let names = Names::new("t", 1);
        let wait = Duration::from_secs(1);
        let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned();
        let payload = Bytes::from_static(b"x");
        let part = Part { payload, traceparent: Some(traceparent.clone()) };
        let past = Told { attempts: 3, redeliveries: 1, given_up: Some("tired".to_owned()) };
        let message = retry(&names, wait, part, &past);
        let headers = message.properties.headers().as_ref().expect("it has some");
        let carried = headers.inner().get(TRACEPARENT).and_then(text);
        assert_eq!(carried, Some(traceparent));
        assert_eq!(read(Source::Webhooks, &message.properties, false), past);
        assert_eq!(read(Source::Webhooks, &message.properties, true).redeliveries, 2);
        assert_eq!((&*message.exchange, &*message.routing_key), ("", "t.retry.1s"));
    }

    #[test]
    fn the_count_of_deliveries_wins_over_the_flag() {
        let count = |n| (DELIVERY_COUNT, AMQPValue::LongLongInt(n));
        assert_eq!(told(Source::Webhooks, &[count(7)], true).redeliveries, 7);
        assert_eq!(told(Source::Webhooks, &[count(0)], true).redeliveries, 1);
        assert_eq!(told(Source::Webhooks, &[], true).redeliveries, 1);
        assert_eq!(told(Source::Webhooks, &[count(-5)], false).redeliveries, 0);
    }

    #[test]
    fn dead_and_unrouted_say_why() {
        let death = |reason: &str| {
            let mut table = FieldTable::default();
            table.insert("reason".into(), AMQPValue::LongString(reason.into()));
            AMQPValue::FieldTable(table)
        };
        let deaths = AMQPValue::FieldArray(vec![death("delivery_limit"), death("expired")].into());
        let why = told(Source::Dead, &[(DEATHS, deaths)], false).given_up.expect("given up");
        assert!(why.contains("more than 100 times"), "{why}");
        assert!(told(Source::Unrouted, &[], false).given_up.is_some());
    }
}
