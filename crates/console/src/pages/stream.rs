//! The overview as it changes, pushed to whoever looks (server-sent events).
//!
//! There are at most [`STREAMS_MAX`], and all are told the same, so the database is asked as often
//! for one as for all. A stream ends with the port, and after [`LIFE`], so that the browser comes
//! again and is asked again who it is. Who gets none asks for the numbers now and then instead.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::unfold;
use operate::health::Work;
use operate::shared::Shared;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep};

use super::chart::Charts;
use super::overview::{AGE_MAX, live_part};
use super::queue::Stats;
use super::trends::{Shown, charts};
use crate::Console;

/// Streams at once. Connections of the port are bounded too, and there must be some left.
pub(crate) const STREAMS_MAX: usize = 32;

/// How long one goes on.
const LIFE: Duration = Duration::from_secs(15 * 60);

/// How often something is sent where nothing changes: proxies close what is silent.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How soon a browser comes again.
const RETRY: Duration = Duration::from_secs(2);

/// What is made once for everybody who looks at the overview.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(super) queue: Shared<Stats>,
    pub(super) work: Shared<Option<Work>>,
    pub(super) live: Shared<Option<Arc<str>>>,
    pub(super) recent: Shared<Option<Arc<Charts>>>,
    pub(super) day: Shared<Option<Arc<Charts>>>,
    streams: Arc<Semaphore>,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            queue: Shared::default(),
            work: Shared::default(),
            live: Shared::default(),
            recent: Shared::default(),
            day: Shared::default(),
            streams: Arc::new(Semaphore::new(STREAMS_MAX)),
        }
    }
}

pub(super) async fn stream(State(console): State<Console>) -> Response {
    let Ok(permit) = console.seen.streams.clone().try_acquire_owned() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many look at once\n").into_response();
    };
    let viewer = Viewer {
        console,
        _permit: permit,
        until: Instant::now() + LIFE,
        ready: VecDeque::from([Event::default().retry(RETRY)]),
        live: None,
        charts: [None, None],
        is_first: true,
    };
    let events = unfold(viewer, |mut viewer| async move {
        let event = viewer.next().await?;
        Some((Ok::<_, Infallible>(event), viewer))
    });
    Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
}

/// Somebody who looks, and what they were told.
struct Viewer {
    console: Console,
    _permit: OwnedSemaphorePermit,
    until: Instant,
    ready: VecDeque<Event>,
    live: Option<Arc<str>>,
    charts: [Option<Arc<Charts>>; 2],
    is_first: bool,
}

impl Viewer {
    /// `None`: the stream ends.
    async fn next(&mut self) -> Option<Event> {
        let stop = self.console.stop.clone();
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            if Instant::now() >= self.until {
                return None;
            }
            if !std::mem::take(&mut self.is_first) {
                stop.run_until_cancelled(sleep(AGE_MAX)).await?;
            }
            stop.run_until_cancelled(self.look()).await?;
        }
    }

    /// Makes events of what is not as it was.
    async fn look(&mut self) {
        match live_part(&self.console).await {
            None => self.ready.push_back(Event::default().event("away").data("")),
            Some(live) if self.live.as_ref() != Some(&live) => {
                self.ready.push_back(Event::default().event("live").data(&*live));
                self.live = Some(live);
            }
            Some(_) => {}
        }
        for (shown, told) in Shown::ALL.into_iter().zip(&mut self.charts) {
            let Ok(charts) = charts(&self.console, shown).await else { continue };
            if told.as_ref().is_some_and(|told| Arc::ptr_eq(told, &charts)) {
                continue;
            }
            match Event::default().event(shown.as_str()).json_data(&*charts) {
                Ok(event) => self.ready.push_back(event),
                Err(error) => tracing::error!(%error, "charts cannot be sent"),
            }
            *told = Some(charts);
        }
    }
}
