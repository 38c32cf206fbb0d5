//! What many people ask for at once and is made once for all of them: however many look at a page,
//! the database and the broker are asked by one.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

/// The latest answer. Clones share it.
#[derive(Clone, Debug)]
pub struct Shared<T>(Arc<Mutex<Option<(Instant, T)>>>);

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: Clone> Shared<T> {
    /// The answer if it is not older than that, else a new one, made from the one before. Whoever
    /// asks meanwhile waits for it.
    pub async fn get(&self, age_max: Duration, make: impl AsyncFnOnce(Option<T>) -> T) -> T {
        let make = async |before| Ok::<_, Infallible>(make(before).await);
        let Ok(answer) = self.try_get(age_max, make).await;
        answer
    }

    /// The same of what may fail; a failure is nobody else's answer.
    pub async fn try_get<E>(
        &self,
        age_max: Duration,
        make: impl AsyncFnOnce(Option<T>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut latest = self.0.lock().await;
        if let Some((at, answer)) = &*latest
            && at.elapsed() < age_max
        {
            return Ok(answer.clone());
        }
        let before = latest.as_ref().map(|(_, answer)| answer.clone());
        let answer = make(before).await?;
        *latest = Some((Instant::now(), answer.clone()));
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_is_made_again_only_when_it_is_old() {
        let shared = Shared::default();
        let next = async |before: Option<u32>| before.unwrap_or_default() + 1;
        let failed = async |_| Err("away");
        let hour = Duration::from_secs(3_600);
        assert_eq!(shared.try_get(hour, failed).await, Err("away"));
        assert_eq!(shared.get(hour, next).await, 1);
        assert_eq!(shared.clone().try_get(hour, failed).await, Ok(1));
        assert_eq!(shared.try_get(Duration::ZERO, failed).await, Err("away"));
        assert_eq!(shared.get(Duration::ZERO, next).await, 2);
    }
}
