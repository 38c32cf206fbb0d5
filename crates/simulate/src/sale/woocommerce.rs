//! Orders at a WooCommerce site.
//!
//! A site gives its webhooks no id that lasts, so an inbox names them by what they show: the
//! resource and the second of its last change. Two changes within one second have one name, and
//! what tells of the bin shows no date, so it has none.

use super::draft::{Draft, Story};
use super::{Basket, Message, PlannedOrder, PlannedWebhook};
use crate::woocommerce::{Step, WooOrder};

/// Ids of a site's orders begin at 1 and are shorter than Shopify's.
const ORDER_IDS: u64 = 1_000_000_000;

/// Of orders that live on, one in so many…
const HELD_ONE_IN: u32 = 2;
/// …of those: paid within the same second.
const PAID_AT_ONCE_ONE_IN: u32 = 2;
const REFUNDED_ONE_IN: u32 = 2;
const COMPLETED_ONE_IN: u32 = 2;
const TRASHED_ONE_IN: u32 = 3;
/// Of those in the bin.
const RESTORED_ONE_IN: u32 = 2;

pub(super) fn live(draft: &mut Draft<'_>, shop: &str, basket: &Basket) -> PlannedOrder {
    let mut order = WooOrder::new(1 + basket.id % ORDER_IDS)
        .of(shop, &draft.sale.secret)
        .placed_at(basket.placed_at);
    for (sku, units) in &basket.lines {
        order = order.line(sku, *units);
    }
    let old = order.clone();
    let mut story = Story::at(basket.number);
    draft.tell(&mut story, webhook(&order, "order.created"));
    let (mut paid, mut cancelled) = (true, false);
    if draft.happens(draft.sale.life_share) {
        live_on(draft, &mut story, &mut order);
    } else {
        paid = draft.happens(draft.sale.pay_share);
        cancelled = draft.happens(draft.sale.cancel_share);
        if paid {
            step(draft, &mut story, &mut order, &Step::Pay);
        }
        if cancelled {
            step(draft, &mut story, &mut order, &Step::Status("cancelled"));
        }
    }
    if (paid || cancelled) && draft.happens(draft.sale.late_share) {
        draft.tell_late(&mut story, webhook(&old, "order.updated"));
    }
    basket.planned(order.id(), paid, cancelled)
}

/// Put on hold perhaps, paid, refunded in part, completed, thrown into the bin and taken out again.
fn live_on(draft: &mut Draft<'_>, story: &mut Story, order: &mut WooOrder) {
    if draft.one_in(HELD_ONE_IN) {
        step(draft, story, order, &Step::Status("on-hold"));
        if draft.one_in(PAID_AT_ONCE_ONE_IN) {
            order.seconds_per_action(0);
        }
    }
    step(draft, story, order, &Step::Pay);
    order.seconds_per_action(1);
    refund_in_part(draft, story, order);
    if draft.one_in(COMPLETED_ONE_IN) {
        step(draft, story, order, &Step::Status("completed"));
        refund_in_part(draft, story, order);
    }
    if draft.one_in(TRASHED_ONE_IN) {
        step(draft, story, order, &Step::Trash);
        if draft.one_in(RESTORED_ONE_IN) {
            // Neither shows when it happened: what comes last counts.
            story.stage_after_all();
            step(draft, story, order, &Step::Restore);
        }
    }
}

/// One unit goes back, if it is not the last one: then the order would be refunded as a whole.
fn refund_in_part(draft: &mut Draft<'_>, story: &mut Story, order: &mut WooOrder) {
    let left: Vec<usize> =
        (0..order.line_count()).filter(|line| order.refundable(*line) > 0).collect();
    let units: i64 = left.iter().map(|line| order.refundable(*line)).sum();
    let Some(line) = draft.choose(&left).filter(|_| units > 1) else { return };
    if draft.one_in(REFUNDED_ONE_IN) {
        let restock = draft.one_in(2);
        step(draft, story, order, &Step::Refund { restock, units: vec![(line, 1)] });
    }
}

fn step(draft: &mut Draft<'_>, story: &mut Story, order: &mut WooOrder, step: &Step) {
    story.next_stage();
    let topic = order.step(step);
    let webhook = webhook(order, topic);
    match webhook.id {
        Some(_) => draft.tell(story, webhook),
        // Once more would be once more into the bin.
        None => draft.tell_once(story, webhook),
    }
}

fn webhook(order: &WooOrder, topic: &'static str) -> PlannedWebhook {
    let date = order.body(topic)["date_modified_gmt"].as_str().map(str::to_owned);
    let id = date.map(|date| format!("{topic}/{}/{date}", order.id()));
    PlannedWebhook { id, topic, message: Message::Fixed(order.webhook(topic)) }
}
