//! Looks whether all is well, and posts what is due.

use std::sync::Arc;
use std::time::{Duration, Instant};

use operate::health::{Facts, Work, ask_queue, ask_store, look};
use operate::shop;
use operate::verify::Checks;
use outbound::{Answer, PostError, Receiver};
use platforms::Shops;
use queue::Broker;
use serde_json::json;
use store::AnyStore;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::kept::{Kept, since_1970};
use crate::state::{Alerts, Notice};

/// How often it is looked, at the least often.
const LOOK_EVERY: Duration = Duration::from_secs(15);

/// How long the store may take to answer.
pub(crate) const STORE_TIMEOUT: Duration = Duration::from_secs(10);

/// The pauses after posts that did not arrive: twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);

/// Who looks at what, and tells whom.
#[derive(Clone, Debug)]
pub struct Watch {
    pub store: AnyStore,
    pub broker: Broker,
    pub shops: watch::Receiver<Arc<Shops>>,
    pub checks: watch::Receiver<Checks>,
    pub receiver: Receiver,
    /// What the installation is called.
    pub name: String,
    /// How long something must be wrong, or right again, before it is told.
    pub patience: Duration,
}

impl Watch {
    /// Goes on for ever. Dropping it loses nothing: whoever looks next finds the same.
    pub async fn run(self) {
        let (start, began) = (since_1970(operate::now()), Instant::now());
        let mut alerts = Alerts::new(self.patience);
        let mut kept = Kept::default();
        let mut pause = Pause::default();
        let latest = shop::Latest::default();
        let mut work = None;
        let every = (self.patience / 4).clamp(Duration::from_secs(1), LOOK_EVERY);
        loop {
            let facts = self.facts(&latest, work).await;
            work = facts.work;
            let verdict = look(&facts, operate::now());
            let now = start + began.elapsed();
            let answers = facts.stored.is_ok();
            if answers {
                kept.read(&self.store, &mut alerts).await;
                kept.write(&self.store, &mut alerts).await;
            }
            alerts.look(&verdict, now);
            if let Some(notice) = alerts.due(now).filter(|_| pause.is_over(now)) {
                match told(self.receiver.post_json(body(&notice.text(&self.name))).await) {
                    Ok(()) => {
                        alerts.told(&notice, now);
                        pause = Pause::default();
                        if answers {
                            kept.write(&self.store, &mut alerts).await;
                        }
                        log(&notice);
                    }
                    Err(error) => {
                        let next_ms = pause.grow(start + began.elapsed()).as_millis();
                        tracing::warn!(error, next_ms, "an alert could not be posted");
                    }
                }
            }
            sleep(every).await;
        }
    }

    /// `before`: what the look before has shown of the work.
    async fn facts(&self, latest: &shop::Latest, before: Option<Work>) -> Facts {
        let stored = match timeout(STORE_TIMEOUT, ask_store(&self.store, operate::now())).await {
            Ok(stored) => stored.map_err(|error| worker::error_chain(&error)),
            Err(_) => Err("it took too long to answer".to_owned()),
        };
        let now_listed = self.shops.borrow().clone();
        let shops = timeout(STORE_TIMEOUT, latest.get(&self.store, &now_listed)).await;
        let shops = shops.ok().and_then(Result::ok);
        let checks = self.checks.borrow().clone();
        let queue = ask_queue(&self.broker).await;
        let work = Work::look(before, queue.as_ref().ok(), stored.as_ref().ok(), operate::now());
        Facts { queue, stored, work, checks, shops }
    }
}

fn log(notice: &Notice) {
    tracing::info!(
        begun = ?notice.begun.iter().map(|(matter, _)| matter).collect::<Vec<_>>(),
        over = ?notice.over,
        "posted an alert"
    );
}

/// The body that Slack, Mattermost, Rocket.Chat and many others take.
pub fn body(text: &str) -> String {
    json!({ "text": inert(text) }).to_string()
}

/// A space without width: nobody sees it, and what it stands in means nothing any more.
const UNSEEN: char = '\u{200b}';

/// SKUs and ids come from outside, so nothing in the text may become a link or call somebody:
/// `<!channel>`, `@channel`, `[text](…)`, `https://…` and `www.…` would.
fn inert(text: &str) -> String {
    let mut inert = String::with_capacity(text.len());
    let (mut chars, mut ws) = (text.chars().peekable(), 0);
    while let Some(char) = chars.next() {
        match char {
            '&' => inert.push_str("&amp;"),
            '<' => inert.push_str("&lt;"),
            '>' => inert.push_str("&gt;"),
            other => inert.push(other),
        }
        let next = chars.peek();
        let is_w = |char: char| char.eq_ignore_ascii_case(&'w');
        ws = if is_w(char) { ws + 1 } else { 0 };
        // Two w's may begin a SKU, which people copy.
        let begins_www = ws == 2 && next.is_some_and(|next| is_w(*next));
        if begins_www || matches!((char, next), ('@' | ']', _) | (':', Some('/'))) {
            inert.push(UNSEEN);
            ws = 0;
        }
    }
    inert
}

/// The text of an answer may repeat what is secret, so only its status is told.
fn told(answer: Result<Answer, PostError>) -> Result<(), String> {
    match answer {
        Ok(answer) if answer.is_success() => Ok(()),
        Ok(answer) => Err(format!("it was answered {}", answer.status)),
        Err(error) => Err(error.to_string()),
    }
}

/// Keeps from posting for a while after a post that did not arrive.
#[derive(Debug, Default)]
struct Pause {
    length: Duration,
    until: Duration,
}

impl Pause {
    fn is_over(&self, now: Duration) -> bool {
        now >= self.until
    }

    fn grow(&mut self, now: Duration) -> Duration {
        self.length = (self.length * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        self.until = now + self.length;
        self.length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_but_stay_bounded() {
        let mut pause = Pause::default();
        let mut now = Duration::from_secs(7);
        assert!(pause.is_over(now));
        let mut lengths = Vec::new();
        for _ in 0..11 {
            let length = pause.grow(now);
            assert!(!pause.is_over(now) && pause.is_over(now + length));
            lengths.push(length.as_secs());
            now += length;
        }
        assert_eq!(lengths, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    }

    #[test]
    fn nothing_in_a_text_calls_somebody_or_is_a_link() {
        let read = |text: &str| text.replace(UNSEEN, "");
        for text in ["@channel", "kim@mail.example", "[look](x)", "[a]: /x", "https://x", "WWW1.x"]
        {
            let said = inert(text);
            assert_eq!(read(&said), text, "it reads the same");
            for live in ["@c", "@m", "](", "]:", "://", "WWW"] {
                assert!(!said.contains(live), "{said:?} has {live}");
            }
        }
        let harmless = "Run `onhand payment list --older-than 1d`: SKU A-1.b has 19.99 (*new*).";
        assert_eq!(inert(harmless), harmless, "what is to be typed can be copied");
    }

    #[test]
    fn a_body_is_json_whatever_the_text() {
        let text = "\"a\"\n<!channel> `c` & ä";
        let body: serde_json::Value = serde_json::from_str(&body(text)).expect("JSON");
        assert_eq!(body, json!({ "text": "\"a\"\n&lt;!channel&gt; `c` &amp; ä" }));
    }
}
