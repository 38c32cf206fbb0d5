//! What is paused, in memory.

use domain::{Operation, ShopId};
use store::{Pause, Pauses, StoreError};

use super::MemoryStore;

impl Pauses for MemoryStore {
    async fn pauses(&self) -> Result<Vec<Pause>, StoreError> {
        Ok(self.contents().pauses.values().cloned().collect())
    }

    async fn pause(&self, pause: &Pause, operation: &Operation) -> Result<bool, StoreError> {
        let mut contents = self.contents();
        let is_new = !contents.pauses.contains_key(&pause.shop)
            && !contents.operations.contains_key(&operation.key);
        if is_new {
            contents.pauses.insert(pause.shop.clone(), pause.clone());
            contents.operations.insert(operation.key.clone(), operation.clone());
        }
        Ok(is_new)
    }

    async fn resume(
        &self,
        shop: Option<&ShopId>,
        operation: &Operation,
    ) -> Result<bool, StoreError> {
        let mut contents = self.contents();
        let is_new = !contents.operations.contains_key(&operation.key);
        let ends = is_new && contents.pauses.remove(&shop.cloned()).is_some();
        if ends {
            contents.operations.insert(operation.key.clone(), operation.clone());
        }
        Ok(ends)
    }
}
