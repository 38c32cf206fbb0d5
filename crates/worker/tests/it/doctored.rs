//! A store in memory that does what a test tells it to: be away, refuse, conflict, mislead.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::order::{Holding, Order};
use domain::{
    ChangeSet, EnvelopeId, Keys, Operation, OrderId, Outcome, ShopId, Timestamp, View, WebhookId,
};
use store::activity::{ActivityNotes, Hour, ShopHour, ShopSigner};
use store::{
    Activity, Commit, ConflictKey, DeadBody, Pause, Pauses, ProcessTurn, Redaction, Redactions,
    ShortOrder, Store, StoreError, Waiting,
};
use testkit::memory::MemoryStore;
use tokio::sync::watch;

/// Clones share everything.
#[derive(Clone, Debug, Default)]
pub(crate) struct Doctored {
    pub(crate) inner: MemoryStore,
    pub(crate) orders: Arc<Orders>,
}

/// How long the store waits for a lock.
pub(crate) const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// What the store was told, and what it saw.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    /// Nothing answers.
    away: AtomicBool,
    /// How often it was asked while it was away.
    pub(crate) asked_in_vain: watch::Sender<usize>,
    /// Commits never answer.
    pub(crate) hangs: AtomicBool,
    /// Commits that hung.
    pub(crate) hung: watch::Sender<usize>,
    /// So many commits meet a conflict.
    pub(crate) conflicts: AtomicUsize,
    /// Every commit is asked to try again.
    pub(crate) busy: AtomicBool,
    /// Nobody gets the turn among processes.
    pub(crate) without_turn: AtomicBool,
    /// Every commit waits for a lock, in vain.
    pub(crate) locked: AtomicBool,
    /// Refuses every change set with this webhook, but its dead letter.
    pub(crate) rejects: Mutex<Option<WebhookId>>,
    /// Refuses dead letters too.
    pub(crate) rejects_letters: AtomicBool,
    /// Fails for passing reasons with this webhook, but not with its dead letter.
    pub(crate) fails: Mutex<Option<WebhookId>>,
    /// Shows this order in a state that cannot be.
    pub(crate) misleads: Mutex<Option<OrderId>>,
    /// How many webhooks each commit wrote.
    pub(crate) batches: Mutex<Vec<usize>>,
    pub(crate) claims: AtomicUsize,
    pub(crate) loads: watch::Sender<usize>,
    /// Nobody learns what is paused.
    pub(crate) hides_pauses: AtomicBool,
    /// How often somebody asked what is paused.
    pub(crate) pauses_asked: watch::Sender<usize>,
    /// Passes of the sweep that have begun.
    pub(crate) sweeps: watch::Sender<usize>,
    /// Bodies are there, and do not go.
    keeps_bodies: AtomicBool,
    /// Requests for removal that were noted as carried out.
    pub(crate) carried_out: watch::Sender<usize>,
    /// The next load is asked to try again.
    pub(crate) load_tries_again: AtomicBool,
    /// The next load panics.
    pub(crate) panics: AtomicBool,
}

impl Doctored {
    /// With so many bowls.
    pub(crate) fn with_bowls(bowls: i64) -> Self {
        let store = Self::default();
        store.inner.open_stock("BOWL", "main", bowls, 0);
        store
    }

    pub(crate) fn set_away(&self, away: bool) {
        self.orders.away.store(away, Ordering::SeqCst);
    }

    pub(crate) fn keeps_bodies(&self, keeps: bool) {
        self.orders.keeps_bodies.store(keeps, Ordering::SeqCst);
    }

    pub(crate) fn rejects(&self, id: &str) {
        *self.orders.rejects.lock().expect("not poisoned") = Some(WebhookId::new(id));
    }

    pub(crate) fn fails(&self, id: &str) {
        *self.orders.fails.lock().expect("not poisoned") = Some(WebhookId::new(id));
    }

    pub(crate) fn misleads(&self, id: &str) {
        *self.orders.misleads.lock().expect("not poisoned") = Some(OrderId::new(id));
    }

    pub(crate) fn batches(&self) -> Vec<usize> {
        self.orders.batches.lock().expect("not poisoned").clone()
    }

    fn answers(&self) -> Result<(), StoreError> {
        if self.orders.away.load(Ordering::SeqCst) {
            self.orders.asked_in_vain.send_modify(|times| *times += 1);
            return Err(StoreError::Unavailable("told to be away".into()));
        }
        Ok(())
    }

    fn mislead(&self, keys: &Keys, view: &mut View) {
        let misled = self.orders.misleads.lock().expect("not poisoned");
        for key in keys.orders.iter().filter(|key| Some(&key.order) == misled.as_ref()) {
            // Units that are held but not committed: releasing them is impossible.
            let held = Holding { committed: 1_000_000, ..Holding::default() };
            let order = Order { holdings: [(bowls(), held)].into(), ..Order::default() };
            view.orders.insert(key.clone(), order);
        }
    }

    fn planted(&self, changes: &ChangeSet) -> Option<Result<Commit, StoreError>> {
        let orders = &self.orders;
        let conflicts = &orders.conflicts;
        let one_less = |left: usize| left.checked_sub(1);
        if conflicts.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok() {
            return Some(Ok(Commit::Conflict(vec![ConflictKey::Stock(bowls())])));
        }
        if orders.busy.load(Ordering::SeqCst) {
            return Some(Err(StoreError::TryAgain("told to be busy".into())));
        }
        if orders.rejects_letters.load(Ordering::SeqCst) && !changes.dead.is_empty() {
            return Some(Err(StoreError::Rejected("told to refuse letters".into())));
        }
        let written = |webhook: &Mutex<Option<WebhookId>>| {
            let webhook = webhook.lock().expect("not poisoned");
            changes.webhooks.iter().any(|record| {
                webhook.as_ref() == Some(&record.key.webhook)
                    && record.verdict.outcome != Outcome::Dead
            })
        };
        if written(&orders.rejects) {
            return Some(Err(StoreError::Rejected("told to refuse it".into())));
        }
        if written(&orders.fails) {
            return Some(Err(StoreError::Unavailable("told to fail with it".into())));
        }
        None
    }

    async fn hang(&self) {
        if self.orders.hangs.load(Ordering::SeqCst) {
            self.orders.hung.send_modify(|times| *times += 1);
            std::future::pending::<()>().await;
        }
    }

    fn wrote(&self, changes: &ChangeSet, answer: &Result<Commit, StoreError>) {
        if matches!(answer, Ok(Commit::Applied)) {
            self.orders.batches.lock().expect("not poisoned").push(changes.webhooks.len());
        }
    }
}

fn bowls() -> domain::StockKey {
    domain::StockKey::new(&"BOWL".into(), &"main".into())
}

impl Store for Doctored {
    type Claim = <MemoryStore as Store>::Claim;

    async fn load(&self, keys: &Keys) -> Result<View, StoreError> {
        self.answers()?;
        assert!(!self.orders.panics.load(Ordering::SeqCst), "told to panic");
        self.orders.loads.send_modify(|times| *times += 1);
        if self.orders.load_tries_again.swap(false, Ordering::SeqCst) {
            return Err(StoreError::TryAgain("planted".into()));
        }
        let mut view = self.inner.load(keys).await?;
        self.mislead(keys, &mut view);
        Ok(view)
    }

    async fn claim(&self, keys: &Keys) -> Result<(Self::Claim, View), StoreError> {
        self.answers()?;
        self.orders.claims.fetch_add(1, Ordering::SeqCst);
        let (claim, mut view) = self.inner.claim(keys).await?;
        self.mislead(keys, &mut view);
        Ok((claim, view))
    }

    async fn process_turn(&self) -> Result<ProcessTurn, StoreError> {
        if self.orders.without_turn.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable("told to have no turn".into()));
        }
        self.inner.process_turn().await
    }

    async fn commit(&self, changes: &ChangeSet) -> Result<Commit, StoreError> {
        self.answers()?;
        self.hang().await;
        if self.orders.locked.load(Ordering::SeqCst) {
            // The clock of a test that asks for this stands still.
            tokio::time::advance(LOCK_TIMEOUT).await;
            return Err(StoreError::TryAgain("told to keep it locked".into()));
        }
        let answer = match self.planted(changes) {
            Some(planted) => planted,
            None => self.inner.commit(changes).await,
        };
        self.wrote(changes, &answer);
        answer
    }

    async fn commit_claim(
        &self,
        claim: Self::Claim,
        changes: &ChangeSet,
    ) -> Result<Commit, StoreError> {
        self.answers()?;
        let answer = match self.planted(changes) {
            Some(planted) => planted,
            None => self.inner.commit_claim(claim, changes).await,
        };
        self.wrote(changes, &answer);
        answer
    }

    async fn suspect(&self, envelope: EnvelopeId) -> Result<u32, StoreError> {
        self.answers()?;
        self.inner.suspect(envelope).await
    }

    async fn short_orders(
        &self,
        shop: &ShopId,
        after: Option<&ShortOrder>,
        limit: i64,
    ) -> Result<Vec<ShortOrder>, StoreError> {
        self.answers()?;
        if after.is_none() {
            self.orders.sweeps.send_modify(|times| *times += 1);
        }
        self.inner.short_orders(shop, after, limit).await
    }

    async fn unlinked_payments(&self, before: Timestamp) -> Result<i64, StoreError> {
        self.inner.unlinked_payments(before).await
    }

    async fn waiting(&self) -> Result<Waiting, StoreError> {
        self.inner.waiting().await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.answers()
    }
}

impl Pauses for Doctored {
    async fn pauses(&self) -> Result<Vec<Pause>, StoreError> {
        let answer = match self.orders.hides_pauses.load(Ordering::SeqCst) {
            true => Err(StoreError::Unavailable("told to hide it".into())),
            false => self.inner.pauses().await,
        };
        self.orders.pauses_asked.send_modify(|times| *times += 1);
        answer
    }

    async fn pause(&self, pause: &Pause, operation: &Operation) -> Result<bool, StoreError> {
        self.inner.pause(pause, operation).await
    }

    async fn resume(
        &self,
        shop: Option<&ShopId>,
        operation: &Operation,
    ) -> Result<bool, StoreError> {
        self.inner.resume(shop, operation).await
    }
}

impl Activity for Doctored {
    async fn note_activity(&self, notes: &ActivityNotes) -> Result<(), StoreError> {
        self.answers()?;
        self.inner.note_activity(notes).await
    }

    async fn forget_activity(&self, now: Hour, hours_kept: i64) -> Result<(), StoreError> {
        self.inner.forget_activity(now, hours_kept).await
    }

    async fn shop_hours(&self) -> Result<Vec<ShopHour>, StoreError> {
        self.inner.shop_hours().await
    }

    async fn shop_signers(&self) -> Result<Vec<ShopSigner>, StoreError> {
        self.inner.shop_signers().await
    }
}

impl Redactions for Doctored {
    async fn redactions(&self) -> Result<Vec<Redaction>, StoreError> {
        self.inner.redactions().await
    }

    async fn redaction_carried_out(
        &self,
        id: EnvelopeId,
        again_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.inner.redaction_carried_out(id, again_at).await?;
        self.orders.carried_out.send_modify(|times| *times += 1);
        Ok(())
    }

    async fn dead_ids(
        &self,
        shop: &ShopId,
        after: Option<EnvelopeId>,
        limit: i64,
    ) -> Result<Vec<EnvelopeId>, StoreError> {
        self.inner.dead_ids(shop, after, limit).await
    }

    async fn dead_bodies(
        &self,
        shop: &ShopId,
        after: Option<EnvelopeId>,
        limit: i64,
        bytes_max: i64,
    ) -> Result<Vec<DeadBody>, StoreError> {
        self.inner.dead_bodies(shop, after, limit, bytes_max).await
    }

    async fn redact(&self, letters: &[EnvelopeId]) -> Result<(), StoreError> {
        match self.orders.keeps_bodies.load(Ordering::SeqCst) {
            true => Err(StoreError::Unavailable("planted".into())),
            false => self.inner.redact(letters).await,
        }
    }

    async fn kept_bodies(
        &self,
        shop: &ShopId,
        after: Option<EnvelopeId>,
        limit: i64,
        bytes_max: i64,
    ) -> Result<Vec<(EnvelopeId, Vec<u8>)>, StoreError> {
        Redactions::kept_bodies(&self.inner, shop, after, limit, bytes_max).await
    }

    async fn remove_bodies(
        &self,
        shop: &ShopId,
        envelopes: &[EnvelopeId],
    ) -> Result<(), StoreError> {
        self.inner.remove_bodies(shop, envelopes).await
    }

    async fn remove_expired_bodies(&self, now: Timestamp, limit: i64) -> Result<u64, StoreError> {
        self.inner.remove_expired_bodies(now, limit).await
    }
}
