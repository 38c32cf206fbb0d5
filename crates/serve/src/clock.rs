//! What a connection is doing, and until when it may.

use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::time::{Instant, Sleep};

use crate::{LINGER_TIMEOUT, Limits};

/// Every connection is in exactly one phase, and every phase has a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// A header is being read; also before the first byte of a connection's first request.
    Header,
    /// A request is being read further, handled or answered.
    Request,
    /// Answered, and not a byte of the next request is here.
    Idle,
    /// Answered for the last time; what the peer still sends is read and thrown away.
    Linger,
}

impl Phase {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Phase::Header => "header",
            Phase::Request => "request",
            Phase::Idle => "idle",
            Phase::Linger => "linger",
        }
    }
}

/// One connection's phase, shared by its socket (which sees bytes) and its service (which sees
/// requests).
///
/// Hyper has a header-read timeout of its own, but one that runs from the end of the answer before:
/// it cannot let a connection idle for longer than a header may take. All that touches a clock is
/// polled by one task, so the lock is never waited for.
#[derive(Debug)]
pub(crate) struct Clock {
    limits: Limits,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    phase: Phase,
    deadline: Instant,
    /// The last answer said `Connection: close`.
    closing: bool,
}

impl Clock {
    pub(crate) fn start(limits: Limits) -> Self {
        let deadline = Instant::now() + limits.header_timeout;
        Self { limits, state: Mutex::new(State { phase: Phase::Header, deadline, closing: false }) }
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.state().deadline
    }

    /// Bytes came in. Only the first ones after an idle time mean something: a header begins.
    pub(crate) fn bytes_came(&self) {
        let mut state = self.state();
        if state.phase == Phase::Idle {
            state.phase = Phase::Header;
            state.deadline = Instant::now() + self.limits.header_timeout;
        }
    }

    /// Bytes went out. An answer that is sent bit by bit is not idle while the peer takes it.
    pub(crate) fn bytes_went(&self) {
        let mut state = self.state();
        if state.phase == Phase::Idle {
            state.deadline = Instant::now() + self.limits.idle_timeout;
        }
    }

    /// A header is complete.
    pub(crate) fn request_began(&self) {
        let mut state = self.state();
        state.phase = Phase::Request;
        state.deadline = Instant::now() + self.limits.request_timeout;
    }

    /// There is an answer; `closing` if it is the connection's last.
    pub(crate) fn request_ended(&self, closing: bool) {
        let mut state = self.state();
        state.phase = Phase::Idle;
        state.deadline = Instant::now() + self.limits.idle_timeout;
        state.closing = closing;
    }

    /// The sending side is shut down. Whether it is worth waiting for the peer to do the same.
    pub(crate) fn lingers(&self) -> bool {
        let mut state = self.state();
        if state.closing && state.phase != Phase::Linger {
            state.phase = Phase::Linger;
            state.deadline = Instant::now() + LINGER_TIMEOUT;
        }
        state.closing
    }

    pub(crate) fn phase(&self) -> Phase {
        self.state().phase
    }

    /// Ready when the phase has lasted too long; looks at the deadline of the moment at every poll.
    pub(crate) fn poll_expired(
        &self,
        mut timer: Pin<&mut Sleep>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let deadline = self.deadline();
        if timer.deadline() != deadline {
            timer.as_mut().reset(deadline);
        }
        timer.poll(cx)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
