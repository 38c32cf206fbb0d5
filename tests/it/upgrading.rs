//! From one release to the next under load, one process after another, and back again: promise P8 for
//! whoever deploys.
//!
//! The next release is this one with a migration and an envelope field more; what it decides it marks
//! in its own column, and what it reads it says in its log.

use std::net::SocketAddr;

use testkit::shopify::SignedWebhook;

use crate::harness::{Fleet, Profile, Release, Role, Sales, eventually, get};

const CONNECTIONS: usize = 8;

/// Orders, over all steps together.
const ORDERS: usize = 2_500;

/// Two ingresses, of which the fleet knows the first.
struct Deployment {
    fleet: Fleet,
    second: Option<Role>,
    second_at: SocketAddr,
}

impl Deployment {
    async fn start() -> Self {
        let fleet = Fleet::start(Profile::Fleet, 2).await;
        let second = fleet.role("ingress", &["--listen", "127.0.0.1:0"], &[]);
        let second_at = second.listen().await;
        Self { fleet, second: Some(second), second_at }
    }

    /// Sends `webhooks` to both ingresses while `change` happens.
    async fn under_load(
        &mut self,
        webhooks: Vec<SignedWebhook>,
        change: impl AsyncFnOnce(&mut Self),
    ) {
        let half = webhooks.len() / 2;
        let (first, second) = webhooks.split_at(half);
        let mut first = self.fleet.burst(first.to_vec(), CONNECTIONS);
        let second = self.fleet.burst_to(self.second_at, second.to_vec(), CONNECTIONS);
        first.accepted(half / 8).await;
        change(self).await;
        first.done().await;
        second.done().await;
    }

    /// Every process from here on is of `release`; those that run go on.
    fn turn_to(&mut self, release: Release) {
        self.fleet.release = release;
    }

    /// Starts one worker and stops the one that has been there for longest, as a rollout does.
    async fn replace_a_worker(&mut self) {
        self.fleet.start_worker(&[]).await;
        let old = self.fleet.workers.remove(0);
        assert_eq!(old.counter("onhand_redelivered_total").await, 0.0, "nothing is done twice");
        old.stop().await;
    }

    async fn replace_the_first_ingress(&mut self) {
        self.fleet.front.take().expect("it runs").stop().await;
        self.fleet.start_front(&[]).await;
    }

    async fn replace_the_second_ingress(&mut self) {
        self.second.take().expect("it runs").stop().await;
        let address = self.second_at.to_string();
        self.second = Some(self.fleet.role("ingress", &["--listen", &address], &[]));
        eventually("the second ingress is ready", async || {
            get(self.second_at, "/readyz").await.is_ok_and(|it| it.status == 200).then_some(())
        })
        .await;
    }

    /// How many webhooks each worker has decided.
    async fn decided(&self) -> Vec<f64> {
        let mut all = Vec::new();
        for worker in &self.fleet.workers {
            all.push(worker.counter("onhand_webhooks_total").await);
        }
        all
    }

    async fn finish(mut self) {
        self.second.take().expect("it runs").stop().await;
        self.fleet.finish().await;
    }
}

#[tokio::test]
async fn releases_are_rolled_out_and_back_under_load_and_nothing_is_lost() {
    Release::Next.program();
    let mut all = Deployment::start().await;
    let sale = Sales::of(ORDERS, &["CAP", "MUG", "PIN", "TEE", "BAG"]);
    sale.supply(&all.fleet).await;
    let mut parts = sale.webhooks.chunks(sale.webhooks.len().div_ceil(5)).map(<[_]>::to_vec);
    let mut part = || parts.next().expect("one for each step");

    // Expand: the next release refuses the old schema, and brings its own while the old one works.
    all.turn_to(Release::Next);
    all.fleet.cli(&["worker"]).await.fails_with(2).names(&["onhand migrate"]);
    all.under_load(part(), async |all| {
        let migrated = all.fleet.ok(&["migrate"]).await;
        assert_eq!(migrated["now"], 9002, "{migrated}");
        all.replace_a_worker().await;
    })
    .await;

    // Both releases decide what both have packed.
    let before = all.decided().await;
    all.under_load(part(), async |all| all.replace_the_first_ingress().await).await;
    let after = all.decided().await;
    assert!(
        before.iter().zip(&after).all(|(before, after)| before < after),
        "{before:?} {after:?}"
    );
    let next = &all.fleet.workers[1];
    for packed_by in ["before", "next"] {
        next.logged(|line| (line["packed_by"] == packed_by).then_some(())).await;
    }

    all.under_load(part(), async |all| {
        all.replace_a_worker().await;
        all.replace_the_second_ingress().await;
    })
    .await;

    // And back: the schema stays, the old release works on it, also with what the next has packed.
    all.turn_to(Release::This);
    all.under_load(part(), async |all| {
        assert_eq!(all.fleet.ok(&["migrate"]).await["now"], 9002, "nothing to do");
        all.replace_a_worker().await;
    })
    .await;
    for worker in all.fleet.workers.split_off(0) {
        worker.stop().await;
    }
    all.under_load(part(), async |_| {}).await;
    for _ in 0..2 {
        all.fleet.start_worker(&[]).await;
    }
    all.replace_the_first_ingress().await;
    all.replace_the_second_ingress().await;

    sale.check(&all.fleet).await;
    let both = "DO $$ BEGIN
        ASSERT (SELECT count(*) = 2 FROM (SELECT decided_by FROM webhooks GROUP BY 1) AS w);
    END $$";
    all.fleet.run_sql(both).await;
    let verified = all.fleet.ok(&["verify"]).await;
    all.turn_to(Release::Next);
    assert_eq!(all.fleet.ok(&["verify"]).await, verified);
    all.turn_to(Release::This);
    all.finish().await;
}
