//! The ways in which two workers keep out of each other's way: every strategy beside each other one.

use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use store::Store;
#[cfg(feature = "redis")]
use testkit::services::Redis;
#[cfg(feature = "redis")]
use worker::lease::{Leases, TTL};
use worker::{Processor, Strategy, Thresholds, Turn};

use crate::backends::Backend;
use crate::harness::{recorded, value};

/// Cases that share a database, and not a row of it.
const RUNS_PER_DATABASE: u64 = 15;

/// Rounds after which a path that was not taken yet never will be.
const ROUNDS_MAX: u64 = 100;

/// What workers do where both want the same stock at the same time; at the end, what they do only for
/// orders that have nothing else in common, and what only crowds do.
pub(crate) const PATHS: &[&str] = &[
    "onhand_conflicts_total",
    "onhand_looked_ahead_total",
    "onhand_adaptive_tries_total{way=\"optimistic\"}",
    "onhand_adaptive_tries_total{way=\"locking\"}",
    "onhand_adaptive_tries_total{way=\"repeats\"}",
    "onhand_decided_ahead_total",
    "onhand_adaptive_tries_total{way=\"in_turn\"}",
];

/// The batches of histories are small, and would neither look ahead nor lock nor be a crowd.
const LOCKS: Thresholds = Thresholds {
    ahead: 1,
    many: usize::MAX,
    tries: 1,
    patience: Duration::from_secs(1),
    in_round: 2,
};
const CROWDS: Thresholds = Thresholds { many: 0, ..LOCKS };
const IMPATIENT: Thresholds = Thresholds { patience: Duration::ZERO, ..LOCKS };

/// Everything that strategies need beside a store. The default has no Redis.
#[derive(Default)]
pub(crate) struct Ways {
    #[cfg(feature = "redis")]
    leases: Option<(Leases, Redis)>,
}

/// How each of two workers goes.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    strategies: [Strategy; 2],
    thresholds: [Thresholds; 2],
    /// They are lanes of one process.
    one_turn: bool,
}

impl Ways {
    pub(crate) async fn open() -> Self {
        #[cfg(feature = "redis")]
        let leases = {
            let redis = Redis::start().await;
            let leases = Leases::connect(&redis.url(), "test", TTL).await;
            Some((leases.expect("Redis answers"), redis))
        };
        Self {
            #[cfg(feature = "redis")]
            leases,
        }
    }

    /// Every strategy that there is.
    pub(crate) fn each(&self) -> Vec<Strategy> {
        let mut each = vec![Strategy::Optimistic, Strategy::Locking, Strategy::Advisory];
        #[cfg(feature = "redis")]
        each.extend(self.leases.iter().map(|(leases, _)| Strategy::Redis(leases.clone())));
        each.push(Strategy::Adaptive);
        each
    }

    /// Every strategy beside itself and each other one, and two lanes of one process.
    pub(crate) fn pairs(&self) -> Vec<Pair> {
        let each = self.each();
        let mut pairs = Vec::new();
        for (at, one) in each.iter().enumerate() {
            for other in &each[at..] {
                // Of adaptive ones beside others, every second one turns to locking.
                let other_thresholds = if at % 2 == 0 { CROWDS } else { LOCKS };
                pairs.push(Pair {
                    strategies: [one.clone(), other.clone()],
                    thresholds: [LOCKS, other_thresholds],
                    one_turn: false,
                });
            }
        }
        let lanes = |thresholds| Pair {
            strategies: [Strategy::Adaptive, Strategy::Adaptive],
            thresholds: [thresholds; 2],
            one_turn: true,
        };
        pairs.extend([LOCKS, CROWDS, IMPATIENT].map(lanes));
        pairs
    }
}

impl Pair {
    /// Two workers that know nothing yet.
    pub(crate) fn workers<S: Store>(&self, store: &S) -> [Processor<S>; 2] {
        let turns = self.thresholds.map(Turn::new);
        [0, 1].map(|at| {
            let turn = if self.one_turn { &turns[0] } else { &turns[at] };
            Processor::new(store.clone(), self.strategies[at].clone()).in_turn(turn.clone())
        })
    }
}

/// Runs cases by their numbers: `rounds` of every pair, and more until all `paths` were taken.
pub(crate) fn run_pairs<B: Backend>(
    (rounds, paths): (u64, &[&str]),
    case: impl AsyncFn(&B, u64, &Pair),
) {
    let (metrics, _guard) = recorded();
    B::runtime().block_on(async {
        let ways = B::ways().await;
        let mut backend = B::open_for_two().await;
        let mut seed = 0;
        for round in 1.. {
            for pair in ways.pairs() {
                seed += 1;
                // Looking through all of it takes the longer the more there is.
                if seed % RUNS_PER_DATABASE == 0 {
                    backend = B::open_for_two().await;
                }
                case(&backend, seed, &pair).await;
            }
            if is_over(round, (rounds, paths), &metrics) {
                break;
            }
        }
    });
}

/// Whether `rounds` were enough for all `paths` to be taken. No number of rounds is, if one never is.
#[track_caller]
pub(crate) fn is_over(
    round: u64,
    (rounds, paths): (u64, &[&str]),
    metrics: &PrometheusHandle,
) -> bool {
    let times = |path: &&str| value(metrics, path).unwrap_or_default();
    let missed: Vec<_> = paths.iter().filter(|path| times(path) == 0.0).collect();
    assert!(missed.is_empty() || round < ROUNDS_MAX, "after {round} rounds: {missed:?}");
    missed.is_empty() && round >= rounds
}
