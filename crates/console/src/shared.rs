//! What many people ask for at once and is made once for all of them: however many look at a page,
//! the database and the broker are asked by one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

/// The latest answer. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Shared<T>(Arc<Mutex<Option<(Instant, T)>>>);

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: Clone> Shared<T> {
    /// The answer if it is not older than that, else a new one, made from the one before. Whoever
    /// asks meanwhile waits for it.
    pub(crate) async fn get(&self, age_max: Duration, make: impl AsyncFnOnce(Option<T>) -> T) -> T {
        let mut latest = self.0.lock().await;
        if let Some((at, answer)) = &*latest
            && at.elapsed() < age_max
        {
            return answer.clone();
        }
        let before = latest.as_ref().map(|(_, answer)| answer.clone());
        let answer = make(before).await;
        *latest = Some((Instant::now(), answer.clone()));
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_is_made_again_only_when_it_is_old() {
        let shared = Shared::default();
        let next = async |before: Option<u32>| before.unwrap_or_default() + 1;
        let hour = Duration::from_secs(3_600);
        assert_eq!(shared.get(hour, next).await, 1);
        assert_eq!(shared.clone().get(hour, next).await, 1);
        assert_eq!(shared.get(Duration::ZERO, next).await, 2);
    }
}
