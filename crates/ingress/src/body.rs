//! Bodies, read whole, under three bounds: the length of each, the bytes of all, and time.
//!
//! Room for a body is taken before its bytes are, as it grows, and given back when its request is
//! answered. A declared length alone takes next to none, and what has come at most twice its length:
//! who sends little or nothing, and has shown no signature yet, must not keep others out.

use std::sync::Arc;

use axum::body::{Body, HttpBody};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::Limits;
use crate::measure;
use crate::respond::Refusal;

/// How much more room than it needs a body takes at the most.
const STEP_BYTES: usize = 64 * 1024;

/// The unit of the semaphore: its permits are counted in `u32`.
const UNIT_BYTES: usize = 1024;

/// Reads bodies, and knows how much room is left for them.
#[derive(Debug)]
pub(crate) struct Bodies {
    limits: Limits,
    room: Arc<Semaphore>,
}

impl Bodies {
    pub(crate) fn new(limits: Limits) -> Self {
        let bytes = limits.in_flight_bytes_max.max(limits.body_bytes_max);
        Self { limits, room: Arc::new(Semaphore::new(bytes.div_ceil(UNIT_BYTES))) }
    }

    /// The whole body, and the room it takes for as long as it is worked on.
    pub(crate) async fn read(&self, body: Body) -> Result<(Bytes, Room), Refusal> {
        let declared = body.size_hint().exact();
        let declared = declared.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
        self.check_length(declared.unwrap_or(0))?;
        let mut room = Room::none(&self.room);
        room.grow_to(declared.unwrap_or(0).min(UNIT_BYTES))?;
        let bytes = timeout(self.limits.body_timeout, self.collect(body, declared, &mut room))
            .await
            .map_err(|_| Refusal::TooSlow)??;
        Ok((bytes, room))
    }

    async fn collect(
        &self,
        mut body: Body,
        declared: Option<usize>,
        room: &mut Room,
    ) -> Result<Bytes, Refusal> {
        let mut buffer = BytesMut::new();
        while let Some(frame) = body.frame().await {
            // What is not data is trailers; nothing that is signed travels there.
            let Ok(data) = frame.map_err(Refusal::Broken)?.into_data() else { continue };
            let length = buffer.len() + data.len();
            self.check_length(length)?;
            if length > room.bytes() {
                let step = length.next_multiple_of(STEP_BYTES).min(2 * length);
                room.grow_to(step.min(declared.unwrap_or(self.limits.body_bytes_max)))?;
            }
            if buffer.is_empty() && body.is_end_stream() {
                // It came in one piece, as most do.
                return Ok(data);
            }
            if length > buffer.capacity() {
                // As much as it has room for, and not what is only declared.
                buffer.reserve(room.bytes().saturating_sub(buffer.len()));
            }
            buffer.extend_from_slice(&data);
        }
        Ok(buffer.freeze())
    }

    fn check_length(&self, bytes: usize) -> Result<(), Refusal> {
        let max = self.limits.body_bytes_max;
        if bytes > max { Err(Refusal::TooLong { max }) } else { Ok(()) }
    }
}

/// Room that is taken; dropping it gives it back.
#[derive(Debug)]
pub(crate) struct Room {
    permit: OwnedSemaphorePermit,
}

impl Room {
    fn none(of: &Arc<Semaphore>) -> Self {
        let permit = of.clone().try_acquire_many_owned(0);
        Self { permit: permit.expect("the semaphore is never closed, and none are always free") }
    }

    fn bytes(&self) -> usize {
        self.permit.num_permits() * UNIT_BYTES
    }

    /// Never waits: a sender that is told to come back costs less than one that is held.
    fn grow_to(&mut self, bytes: usize) -> Result<(), Refusal> {
        let missing = bytes.saturating_sub(self.bytes()).div_ceil(UNIT_BYTES);
        let units = u32::try_from(missing).map_err(|_| Refusal::NoRoom)?;
        let more = self.permit.semaphore().clone().try_acquire_many_owned(units);
        self.permit.merge(more.map_err(|_| Refusal::NoRoom)?);
        measure::bytes_taken(missing * UNIT_BYTES);
        Ok(())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        measure::bytes_given_back(self.bytes());
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::{Future, poll_fn, ready};
    use std::task::Poll;

    use futures_util::{StreamExt, stream};

    use super::*;

    #[tokio::test]
    async fn a_body_that_stalls_holds_no_more_than_twice_what_it_sent() {
        let bodies = Bodies::new(Limits::default());
        let all = bodies.room.available_permits();
        for sent in [1, 1_000, 10_000, 100_000] {
            let piece = Ok::<_, Infallible>(vec![b'x'; sent]);
            let body = Body::from_stream(stream::once(ready(piece)).chain(stream::pending()));
            let mut reading = Box::pin(bodies.read(body));
            let stalls = poll_fn(|cx| Poll::Ready(reading.as_mut().poll(cx).is_pending())).await;
            assert!(stalls);
            let held = (all - bodies.room.available_permits()) * UNIT_BYTES;
            assert!((sent..=2 * sent + UNIT_BYTES).contains(&held), "{held} for {sent}");
            drop(reading);
            assert_eq!(bodies.room.available_permits(), all);
        }
    }
}
