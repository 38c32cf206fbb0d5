//! From finished spans to the collector, beside the work and never in its way.
//!
//! A finished span goes into a bounded queue, or is dropped and counted where that is full. One task
//! takes what is there and sends it; what the collector does not take is dropped and counted, not
//! sent again: a collector that is away must cost no memory. After a stop what is left is sent within
//! [`FLUSH`]. If the process dies, what was in the queue is lost.

use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanExporter, SpanProcessor};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Finished spans that wait to be sent; one is about 1 KB.
const QUEUE_SPANS: usize = 4096;

/// How many are sent at once.
const BATCH_SPANS: usize = 512;

/// How long the first waits for others to go with.
const GATHER: Duration = Duration::from_secs(1);

/// How long the last ones may take after a stop.
const FLUSH: Duration = Duration::from_secs(3);

/// How often a collector that takes nothing is complained of.
const COMPLAIN_EVERY: Duration = Duration::from_secs(60);

const SENT: &str = "onhand_trace_spans_sent_total";
const DROPPED: &str = "onhand_trace_spans_dropped_total";

/// Where finished spans go in.
#[derive(Debug)]
pub(super) struct Queue(mpsc::Sender<SpanData>);

/// Where they come out.
pub(super) type Finished = mpsc::Receiver<SpanData>;

pub(super) fn queue() -> (Queue, Finished) {
    metrics::describe_counter!(SENT, "Spans that the collector took");
    metrics::describe_counter!(DROPPED, "Spans that the collector never got, by reason");
    metrics::counter!(SENT).absolute(0);
    let (sender, finished) = mpsc::channel(QUEUE_SPANS);
    (Queue(sender), finished)
}

impl SpanProcessor for Queue {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        if self.0.try_send(span).is_err() {
            dropped("queue_full", 1);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// Sends until `stop`, then what is left.
pub(super) async fn run<E: SpanExporter>(
    exporter: E,
    mut finished: Finished,
    stop: CancellationToken,
) {
    let mut complained_at = None;
    let telling = async {
        loop {
            let mut batch = Vec::with_capacity(BATCH_SPANS);
            if stop.run_until_cancelled(gather(&mut finished, &mut batch)).await.is_none() {
                finished.close();
                let room = BATCH_SPANS - batch.len();
                finished.recv_many(&mut batch, room).await;
            }
            if batch.is_empty() {
                break;
            }
            send(&exporter, batch, &mut complained_at).await;
        }
    };
    let too_late = async {
        stop.cancelled().await;
        sleep(FLUSH).await;
    };
    tokio::select! {
        () = telling => {}
        () = too_late => tracing::warn!("the collector did not take the last spans in time"),
    }
}

/// Waits for one, and a little for more. Nothing comes when there will be none.
async fn gather(finished: &mut Finished, batch: &mut Vec<SpanData>) {
    finished.recv_many(batch, BATCH_SPANS).await;
    let more = async {
        while (1..BATCH_SPANS).contains(&batch.len()) {
            let room = BATCH_SPANS - batch.len();
            if finished.recv_many(batch, room).await == 0 {
                break;
            }
        }
    };
    // When the time is over, what is there goes.
    let _ = timeout(GATHER, more).await;
}

async fn send<E: SpanExporter>(
    exporter: &E,
    batch: Vec<SpanData>,
    complained_at: &mut Option<Instant>,
) {
    let count = batch.len();
    match exporter.export(batch).await {
        Ok(()) => metrics::counter!(SENT).increment(exact(count)),
        Err(error) => {
            dropped("not_taken", count);
            if complained_at.is_none_or(|at| at.elapsed() >= COMPLAIN_EVERY) {
                *complained_at = Some(Instant::now());
                tracing::warn!(
                    %error,
                    spans = count,
                    "the collector does not take spans: they are dropped"
                );
            }
        }
    }
}

fn dropped(reason: &'static str, spans: usize) {
    metrics::counter!(DROPPED, "reason" => reason).increment(exact(spans));
}

fn exact(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use opentelemetry::trace::{Tracer, TracerProvider};
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tokio::sync::Semaphore;

    use super::*;

    /// Takes as many batches as it has permits for, and then hangs.
    #[derive(Clone, Debug)]
    struct Double {
        permits: Arc<Semaphore>,
        batches: Arc<Mutex<Vec<usize>>>,
    }

    impl Double {
        fn new(permits: usize) -> Self {
            Self { permits: Arc::new(Semaphore::new(permits)), batches: Arc::default() }
        }

        fn batches(&self) -> Vec<usize> {
            self.batches.lock().unwrap().clone()
        }
    }

    impl SpanExporter for Double {
        async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
            self.permits.acquire().await.unwrap().forget();
            self.batches.lock().unwrap().push(batch.len());
            Ok(())
        }
    }

    fn make(provider: &SdkTracerProvider, spans: usize) {
        let tracer = provider.tracer("test");
        (0..spans).for_each(|_| drop(tracer.start("span")));
    }

    #[tokio::test(start_paused = true)]
    async fn what_does_not_fit_is_dropped_and_a_stop_sends_what_did() {
        let (queue, finished) = queue();
        let provider = SdkTracerProvider::builder().with_span_processor(queue).build();
        make(&provider, QUEUE_SPANS + 100);
        assert_eq!(finished.len(), QUEUE_SPANS, "nobody waits for a place");
        let double = Double::new(usize::MAX >> 3);
        let stop = CancellationToken::new();
        stop.cancel();
        run(double.clone(), finished, stop).await;
        assert_eq!(double.batches(), [BATCH_SPANS; QUEUE_SPANS / BATCH_SPANS]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_collector_that_hangs_holds_up_no_stop() {
        let (queue, finished) = queue();
        let provider = SdkTracerProvider::builder().with_span_processor(queue).build();
        make(&provider, 3 * BATCH_SPANS);
        let (double, stop) = (Double::new(1), CancellationToken::new());
        let began = Instant::now();
        let later = async {
            sleep(Duration::from_secs(100)).await;
            stop.cancel();
        };
        tokio::join!(run(double.clone(), finished, stop.clone()), later);
        assert_eq!(double.batches(), [BATCH_SPANS]);
        assert_eq!(began.elapsed(), Duration::from_secs(100) + FLUSH);
    }

    #[tokio::test(start_paused = true)]
    async fn a_span_waits_a_second_for_others() {
        let (queue, finished) = queue();
        let provider = SdkTracerProvider::builder().with_span_processor(queue).build();
        let (double, stop) = (Double::new(10), CancellationToken::new());
        let making = async {
            for spans in [1, 2, BATCH_SPANS] {
                make(&provider, spans);
                sleep(Duration::from_millis(700)).await;
            }
            stop.cancel();
        };
        tokio::join!(run(double.clone(), finished, stop.clone()), making);
        // The first second brings three; then a full batch waits for nobody.
        assert_eq!(double.batches(), [3, BATCH_SPANS]);
    }
}
