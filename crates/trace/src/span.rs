//! Spans: something that takes time, in a trace. Where nobody listens, nothing.

use std::borrow::Cow;
use std::fmt;
use std::time::Instant;

use crate::Context;

/// What a span is to the ones beside it, in OpenTelemetry's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Something inside this process.
    Internal,
    /// Asks something of another process and waits for it.
    Client,
    /// Hands a message over; somebody takes it later.
    Producer,
    /// Takes a message that somebody handed over.
    Consumer,
}

/// What is told of a span beside its time.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Text(Cow<'static, str>),
    Number(i64),
}

/// In a trace until it is dropped, which ends it. Most are not in any and hold nothing.
#[derive(Default)]
pub struct Span(#[cfg(feature = "otlp")] Option<Box<crate::otlp::Live>>);

/// The context for spans of what carries `traceparent`: none where it is not sampled, or this process
/// tells of no spans.
pub fn sampled(traceparent: Option<&str>) -> Option<Context> {
    if !is_on() {
        return None;
    }
    Context::parse(traceparent?).filter(|context| context.sampled)
}

/// A request that came with `traceparent`, or began a trace: here it is decided whether the trace is
/// kept.
#[cfg(feature = "otlp")]
pub fn request(traceparent: Option<&str>, name: &'static str, began: Instant) -> Span {
    Span(crate::otlp::request(traceparent, name, began).map(Box::new))
}

#[cfg(not(feature = "otlp"))]
pub fn request(_traceparent: Option<&str>, _name: &'static str, _began: Instant) -> Span {
    Span()
}

#[cfg(feature = "otlp")]
fn is_on() -> bool {
    crate::otlp::is_on()
}

#[cfg(not(feature = "otlp"))]
fn is_on() -> bool {
    false
}

#[cfg(feature = "otlp")]
impl Span {
    /// Begins under `parent`; nothing where there is none.
    pub fn under(parent: Option<Context>, kind: Kind, name: impl Into<Cow<'static, str>>) -> Self {
        Self::linked(parent, kind, name, &[])
    }

    /// The same, with a link to each of `links`: what it is also about.
    pub fn linked(
        parent: Option<Context>,
        kind: Kind,
        name: impl Into<Cow<'static, str>>,
        links: &[Context],
    ) -> Self {
        let begin = |parent| crate::otlp::begin(parent, kind, name.into(), links);
        Self(parent.and_then(begin).map(Box::new))
    }

    /// What goes on from here carries this.
    pub fn context(&self) -> Option<Context> {
        self.0.as_deref().map(crate::otlp::Live::context)
    }

    /// Tells `value`, which is made only if somebody listens.
    pub fn tell<V: Into<Value>>(&mut self, name: &'static str, value: impl FnOnce() -> V) {
        if let Some(live) = &mut self.0 {
            live.tell(name, value().into());
        }
    }

    /// It did not come to what it was for.
    pub fn failed(&mut self, why: impl fmt::Display) {
        if let Some(live) = &mut self.0 {
            live.failed(why.to_string());
        }
    }
}

#[cfg(not(feature = "otlp"))]
impl Span {
    pub fn under(_: Option<Context>, _: Kind, _: impl Into<Cow<'static, str>>) -> Self {
        Self()
    }

    pub fn linked(
        _: Option<Context>,
        _: Kind,
        _: impl Into<Cow<'static, str>>,
        _: &[Context],
    ) -> Self {
        Self()
    }

    pub fn context(&self) -> Option<Context> {
        None
    }

    pub fn tell<V: Into<Value>>(&mut self, _: &'static str, _: impl FnOnce() -> V) {}

    pub fn failed(&mut self, _: impl fmt::Display) {}
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Span").field(&self.context()).finish()
    }
}

impl From<&'static str> for Value {
    fn from(text: &'static str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<u32> for Value {
    fn from(count: u32) -> Self {
        Self::Number(count.into())
    }
}

impl From<usize> for Value {
    fn from(count: usize) -> Self {
        Self::Number(i64::try_from(count).unwrap_or(i64::MAX))
    }
}
