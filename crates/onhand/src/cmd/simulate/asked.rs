//! What was asked for: all that it takes to play the same again, and how fast it was to go.

use serde::Serialize;
use simulate::sale::{Channel, Sale};
use simulate::sender::Sent;

use super::SimulateArgs;

/// A rate counts as reached if the last webhook was sent no later than this after its time…
const LATE_SECONDS: f64 = 0.1;
/// …or, in a long run, than this share of it.
const LATE_SHARE: f64 = 0.02;

/// Named as the options are.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Asked {
    pub(super) platform: &'static str,
    /// A domain for shopify, a name for the others.
    pub(super) shop: String,
    pub(super) orders: usize,
    pub(super) skus: usize,
    pub(super) hot_share: f64,
    pub(super) hot_skus: usize,
    pub(super) lines: usize,
    pub(super) life_share: f64,
    pub(super) pay_share: f64,
    pub(super) cancel_share: f64,
    pub(super) late_share: f64,
    pub(super) duplicates: f64,
    pub(super) disorder: u64,
    pub(super) seed: u64,
    pub(super) connections: u32,
    pub(super) rate: Option<f64>,
    /// Units of each item, where stock was made.
    pub(super) units: Option<i64>,
}

impl Asked {
    pub(super) fn of(args: &SimulateArgs, sale: &Sale) -> Self {
        let (Channel::Shopify { domain: shop }
        | Channel::WooCommerce { shop }
        | Channel::Payments { shop, .. }) = &sale.channel;
        Self {
            platform: sale.channel.as_str(),
            shop: shop.clone(),
            orders: sale.orders,
            skus: sale.skus,
            hot_share: sale.hot_share,
            hot_skus: sale.hot_skus,
            lines: sale.lines_per_order,
            life_share: sale.life_share,
            pay_share: sale.pay_share,
            cancel_share: sale.cancel_share,
            late_share: sale.late_share,
            duplicates: sale.duplicate_share,
            disorder: sale.disorder,
            seed: sale.seed,
            connections: args.connections,
            rate: args.rate,
            units: args.setup.then_some(args.units),
        }
    }

    /// Whether the rate that was asked for was kept to the end, if one was.
    pub(super) fn is_reached(&self, sent: &Sent) -> Option<bool> {
        let behind = sent.behind(self.rate?).as_secs_f64();
        Some(behind <= LATE_SECONDS.max(LATE_SHARE * sent.sending.as_secs_f64()))
    }
}
