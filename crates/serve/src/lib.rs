//! The HTTP/1 serving loop that every role shares: limits, timeouts and a graceful stop.
//!
//! `axum::serve` arms no header-read timeout, so a peer that sends half a header could hold a
//! connection, and a graceful stop, for ever. This loop bounds everything a peer can do:
//!
//! * at most [`Limits::connections_max`] connections; the next one waits in the kernel's backlog
//! * every connection is always under one of the timeouts in [`Limits`]
//! * a header is at most [`HEADER_BYTES_MAX`] long (431), a read buffer [`BUFFER_BYTES_MAX`]
//! * a handler that panics is answered 500; the process and the other connections live on
//! * an answer with `Connection: close` reaches a peer that is still sending its body: the
//!   connection lingers for [`LINGER_TIMEOUT`] instead of being reset under the answer
//!
//! When asked to stop it stops accepting, closes idle connections, and lets requests in progress
//! finish for up to [`Limits::drain_timeout`]. A sender that hangs up in the middle of the handling
//! does not end it. If the process dies, every request in progress is lost unanswered, which tells
//! the sender to send it again.

use std::time::Duration;

mod clock;
mod connection;
mod listen;
mod socket;

pub use listen::run;

/// The longest header of a request, its first line included; beyond it the answer is 431.
pub const HEADER_BYTES_MAX: usize = 32 * 1024;

/// What is read ahead for one connection. With many connections this is most of their memory.
pub const BUFFER_BYTES_MAX: usize = 64 * 1024;

/// How long a peer that is still sending may take to notice that it has been answered.
pub const LINGER_TIMEOUT: Duration = Duration::from_secs(2);

/// What bounds a server. Every field has a default that suits the open internet.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many connections are open at once.
    pub connections_max: usize,
    /// From a connection's start, or the first byte of a later request, to the end of the header.
    pub header_timeout: Duration,
    /// How long a connection is kept open after an answer, for the next request to begin.
    pub idle_timeout: Duration,
    /// From the end of the header to the answer: a backstop for handlers without a bound of their
    /// own.
    pub request_timeout: Duration,
    /// How long a graceful stop waits for requests in progress before it cuts them.
    pub drain_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 10_000,
            header_timeout: Duration::from_secs(5),
            idle_timeout: Duration::from_secs(75),
            request_timeout: Duration::from_secs(30),
            drain_timeout: Duration::from_secs(10),
        }
    }
}
