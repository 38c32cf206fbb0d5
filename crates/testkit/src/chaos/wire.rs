//! Just enough of PostgreSQL's and AMQP's framing to see one request and its answer go by.
//!
//! Every connection is followed from its first byte, so a fault can be armed at any time. A
//! connection that turns to TLS, or speaks something else, is followed no further.

use std::collections::{BTreeMap, BTreeSet};

use super::Trigger;

const PG_SSL_REQUEST: u32 = 80_877_103;
const PG_GSS_REQUEST: u32 = 80_877_104;
const PG_PROTOCOL_3: u32 = 196_608;

const AMQP_GREETING: &[u8; 8] = b"AMQP\x00\x00\x09\x01";
const AMQP_METHOD_FRAME: u8 = 1;
const AMQP_CONFIRM_SELECT: (u16, u16) = (85, 10);
const AMQP_BASIC_PUBLISH: (u16, u16) = (60, 40);
const AMQP_BASIC_ACK: (u16, u16) = (60, 80);
const AMQP_BASIC_NACK: (u16, u16) = (60, 120);

/// One connection's conversation so far.
#[derive(Debug, Default)]
pub(super) struct Wire {
    requests: Vec<u8>,
    replies: Vec<u8>,
    /// The end of what was sent since a trigger of plain bytes was armed.
    tail: Vec<u8>,
    speech: Speech,
    awaited: Option<Awaited>,
}

#[derive(Debug, Default)]
enum Speech {
    #[default]
    Unknown,
    Postgres(Postgres),
    Amqp(Amqp),
    /// Not to be followed.
    Foreign,
}

/// The answer that a hit trigger waits for.
#[derive(Debug)]
enum Awaited {
    CommitTag,
    Confirm { channel: u16, tag: u64 },
    Anything,
}

#[derive(Debug, Default)]
struct Postgres {
    started: bool,
    /// Single-byte answers to SSL and GSS requests that are still to come.
    bare_answers: usize,
    commit_statements: BTreeSet<Vec<u8>>,
    commit_portals: BTreeSet<Vec<u8>>,
}

#[derive(Debug, Default)]
struct Amqp {
    greeted: bool,
    /// Publishes so far on each channel that is in confirm mode.
    published: BTreeMap<u16, u64>,
}

impl Wire {
    /// Follows bytes to the server. True when they complete the `armed` trigger.
    pub(super) fn request(&mut self, bytes: &[u8], armed: Option<&Trigger>) -> bool {
        let mut hit = self.sees_needle(bytes, armed);
        if hit {
            self.awaited = Some(Awaited::Anything);
        }
        self.requests.extend_from_slice(bytes);
        self.recognise();
        match &mut self.speech {
            Speech::Postgres(postgres) => {
                while let Some((kind, body)) = postgres.next_request(&mut self.requests) {
                    if postgres.is_commit(kind, &body) && armed == Some(&Trigger::Commit) {
                        self.awaited = Some(Awaited::CommitTag);
                        hit = true;
                    }
                }
            }
            Speech::Amqp(amqp) => {
                while let Some((channel, method)) = amqp.next_request(&mut self.requests) {
                    hit |= armed == Some(&Trigger::Ack) && method == Some(AMQP_BASIC_ACK);
                    let tag = amqp.count(channel, method);
                    if let Some(tag) = tag.filter(|_| armed == Some(&Trigger::Publish) && !hit) {
                        self.awaited = Some(Awaited::Confirm { channel, tag });
                        hit = true;
                    }
                }
            }
            Speech::Unknown => {}
            Speech::Foreign => self.requests.clear(),
        }
        hit
    }

    /// Follows bytes to the client. True when they hold the awaited answer.
    pub(super) fn reply(&mut self, bytes: &[u8]) -> bool {
        if matches!(self.awaited, Some(Awaited::Anything)) {
            return !bytes.is_empty();
        }
        self.replies.extend_from_slice(bytes);
        let mut answered = false;
        match &mut self.speech {
            Speech::Postgres(postgres) => {
                if postgres.turns_to_tls(&mut self.replies) {
                    self.speech = Speech::Foreign;
                    return false;
                }
                while let Some((kind, body)) = typed_message(&mut self.replies) {
                    let tag = kind == b'C' && matches!(&*body, b"COMMIT\0" | b"ROLLBACK\0");
                    answered |= tag && matches!(self.awaited, Some(Awaited::CommitTag));
                }
            }
            Speech::Amqp(_) => {
                while let Some((kind, channel, payload)) = amqp_frame(&mut self.replies) {
                    let Some(Awaited::Confirm { channel: on, tag }) = self.awaited else {
                        continue;
                    };
                    answered |= kind == AMQP_METHOD_FRAME
                        && channel == on
                        && confirms(&payload).is_some_and(|covered| covered.contains(&tag));
                }
            }
            Speech::Unknown | Speech::Foreign => self.replies.clear(),
        }
        answered
    }

    fn sees_needle(&mut self, bytes: &[u8], armed: Option<&Trigger>) -> bool {
        let Some(Trigger::Bytes(needle)) = armed else {
            self.tail.clear();
            return false;
        };
        self.tail.extend_from_slice(bytes);
        let found = self.tail.windows(needle.len()).any(|window| window == needle);
        let keep = self.tail.len().min(needle.len() - 1);
        self.tail.drain(..self.tail.len() - keep);
        found
    }

    fn recognise(&mut self) {
        if !matches!(self.speech, Speech::Unknown) || self.requests.len() < 8 {
            return;
        }
        self.speech = if self.requests.starts_with(AMQP_GREETING) {
            Speech::Amqp(Amqp::default())
        } else if let Some(PG_SSL_REQUEST | PG_GSS_REQUEST | PG_PROTOCOL_3) =
            be_u32(&self.requests[4..])
        {
            Speech::Postgres(Postgres::default())
        } else {
            Speech::Foreign
        };
    }
}

impl Postgres {
    fn next_request(&mut self, bytes: &mut Vec<u8>) -> Option<(u8, Vec<u8>)> {
        if self.started {
            return typed_message(bytes);
        }
        // Startup messages have a length and a code, but no type.
        let body = take_sized(bytes, 0)?;
        if matches!(be_u32(&body), Some(PG_SSL_REQUEST | PG_GSS_REQUEST)) {
            self.bare_answers += 1;
        } else {
            self.started = true;
        }
        Some((0, body))
    }

    /// Takes the bare answers out of the replies. True when one of them accepts.
    fn turns_to_tls(&mut self, replies: &mut Vec<u8>) -> bool {
        while self.bare_answers > 0 && !replies.is_empty() {
            self.bare_answers -= 1;
            if replies.remove(0) != b'N' {
                return true;
            }
        }
        false
    }

    /// Remembers prepared commits, and says whether this message executes one.
    fn is_commit(&mut self, kind: u8, body: &[u8]) -> bool {
        let mut texts = body.split(|byte| *byte == 0);
        let first = texts.next().unwrap_or_default();
        let second = texts.next().unwrap_or_default();
        match kind {
            b'Q' => is_commit_text(first),
            b'P' => {
                remember(&mut self.commit_statements, first, is_commit_text(second));
                false
            }
            b'B' => {
                let commits = self.commit_statements.contains(second);
                remember(&mut self.commit_portals, first, commits);
                false
            }
            b'E' => self.commit_portals.contains(first),
            _ => false,
        }
    }
}

/// Names are reused, the empty one all the time.
fn remember(names: &mut BTreeSet<Vec<u8>>, name: &[u8], yes: bool) {
    if yes {
        names.insert(name.to_vec());
    } else {
        names.remove(name);
    }
}

/// Whether the last statement of a query is a COMMIT.
fn is_commit_text(query: &[u8]) -> bool {
    let query = String::from_utf8_lossy(query);
    let last = query.trim().trim_end_matches(';').rsplit(';').next().unwrap_or_default();
    last.trim().eq_ignore_ascii_case("commit")
}

impl Amqp {
    /// The channel of the next frame and, if it is a method frame, its method.
    fn next_request(&mut self, bytes: &mut Vec<u8>) -> Option<(u16, Option<(u16, u16)>)> {
        if !self.greeted {
            bytes.drain(..AMQP_GREETING.len());
            self.greeted = true;
        }
        let (kind, channel, payload) = amqp_frame(bytes)?;
        Some((channel, (kind == AMQP_METHOD_FRAME).then(|| method(&payload)).flatten()))
    }

    /// The delivery tag under which a publish will be confirmed.
    fn count(&mut self, channel: u16, method: Option<(u16, u16)>) -> Option<u64> {
        match method? {
            AMQP_CONFIRM_SELECT => {
                self.published.insert(channel, 0);
                None
            }
            AMQP_BASIC_PUBLISH => {
                let published = self.published.get_mut(&channel)?;
                *published += 1;
                Some(*published)
            }
            _ => None,
        }
    }
}

/// The delivery tags that a `basic.ack` or `basic.nack` covers.
fn confirms(payload: &[u8]) -> Option<std::ops::RangeInclusive<u64>> {
    if !matches!(method(payload)?, AMQP_BASIC_ACK | AMQP_BASIC_NACK) {
        return None;
    }
    let tag = u64::from_be_bytes(payload.get(4..12)?.try_into().ok()?);
    let multiple = payload.get(12)? & 1 == 1;
    Some(if multiple { 0..=tag } else { tag..=tag })
}

fn method(payload: &[u8]) -> Option<(u16, u16)> {
    Some((be_u16(payload)?, be_u16(payload.get(2..)?)?))
}

/// A frame is a kind, a channel, a length, the payload and an end mark.
fn amqp_frame(bytes: &mut Vec<u8>) -> Option<(u8, u16, Vec<u8>)> {
    let size = usize::try_from(be_u32(bytes.get(3..)?)?).ok()?;
    if bytes.len() < size.checked_add(8)? {
        return None;
    }
    let frame: Vec<u8> = bytes.drain(..size + 8).collect();
    Some((frame[0], be_u16(&frame[1..])?, frame[7..7 + size].to_vec()))
}

/// A message of PostgreSQL is a kind, a length that counts itself, and the body.
fn typed_message(bytes: &mut Vec<u8>) -> Option<(u8, Vec<u8>)> {
    let kind = *bytes.first()?;
    take_sized(bytes, 1).map(|body| (kind, body))
}

/// Removes a message with `before` bytes ahead of its length, and returns what follows the length.
fn take_sized(bytes: &mut Vec<u8>, before: usize) -> Option<Vec<u8>> {
    let size = usize::try_from(be_u32(bytes.get(before..)?)?).ok()?;
    let end = before.checked_add(size)?;
    if size < 4 || bytes.len() < end {
        return None;
    }
    let message: Vec<u8> = bytes.drain(..end).collect();
    Some(message[before + 4..].to_vec())
}

fn be_u16(bytes: &[u8]) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(..2)?.try_into().ok()?))
}

fn be_u32(bytes: &[u8]) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(..4)?.try_into().ok()?))
}
