//! Orders at a Shopify shop.

use domain::order::{FulfilmentStatus, Restock};

use super::draft::{Draft, Story};
use super::{Basket, Message, PlannedOrder, PlannedWebhook};
use crate::shopify::{LOCATION, ShopifyOrder};

/// How much happens to an order that lives on, between its payment and its end.
pub(super) const STEPS_MAX: i64 = 5;

/// One order in so many is cancelled in the end, if nothing was sent.
const CANCELLED_ONE_IN: u32 = 3;

/// What happens to an order, with the line that it happens to.
#[derive(Clone, Copy)]
enum Step {
    Fulfil(usize),
    Refund(usize, Restock),
    Add(usize),
    Remove(usize),
}

pub(super) fn live(draft: &mut Draft<'_>, domain: &str, basket: &Basket) -> PlannedOrder {
    let mut order =
        ShopifyOrder::new(basket.id).of(domain, &draft.sale.secret).placed_at(basket.placed_at);
    for (sku, units) in &basket.lines {
        order = order.line(sku, *units);
    }
    let old = order.clone();
    let mut story = Story::at(basket.number);
    tell(draft, &mut story, &order, "orders/create");
    let (mut paid, mut cancelled) = (true, false);
    if draft.happens(draft.sale.life_share) {
        live_on(draft, &mut story, &mut order);
    } else {
        paid = draft.happens(draft.sale.pay_share);
        cancelled = draft.happens(draft.sale.cancel_share);
        if paid {
            pay(draft, &mut story, &mut order);
        }
        if cancelled {
            cancel(draft, &mut story, &mut order);
        }
    }
    let cancelled = cancelled || order.is_cancelled();
    if (paid || cancelled) && draft.happens(draft.sale.late_share) {
        let webhook = webhook(draft, &old, "orders/updated");
        draft.tell_late(&mut story, webhook);
    }
    basket.planned(order.id(), paid, cancelled)
}

/// Paid, then whatever may happen at a shop.
fn live_on(draft: &mut Draft<'_>, story: &mut Story, order: &mut ShopifyOrder) {
    pay(draft, story, order);
    for _ in 0..draft.number(1..=STEPS_MAX) {
        let Some(step) = draft.choose(&possible(order)) else { break };
        story.next_stage();
        for topic in take(draft, order, step) {
            tell(draft, story, order, topic);
        }
    }
    // A shop does not cancel what it has sent.
    if order.fulfilments().is_empty() && draft.one_in(CANCELLED_ONE_IN) {
        cancel(draft, story, order);
    }
}

fn pay(draft: &mut Draft<'_>, story: &mut Story, order: &mut ShopifyOrder) {
    story.next_stage();
    tell(draft, story, order.pay(), "orders/paid");
}

fn cancel(draft: &mut Draft<'_>, story: &mut Story, order: &mut ShopifyOrder) {
    story.next_stage();
    tell(draft, story, order.cancel(Some(LOCATION)), "orders/cancelled");
}

/// What can happen to an order as it is.
fn possible(order: &ShopifyOrder) -> Vec<Step> {
    let mut steps = Vec::new();
    for line in 0..order.line_count() {
        steps.push(Step::Add(line));
        if order.fulfillable(line) > 0 {
            let more = [Step::Fulfil(line), Step::Refund(line, Restock::Cancel)];
            steps.extend(more.into_iter().chain([Step::Remove(line)]));
        }
        if order.returnable(line) > 0 {
            let came_back = [Restock::Return, Restock::NoRestock, Restock::LegacyRestock];
            steps.extend(came_back.map(|restock| Step::Refund(line, restock)));
        }
    }
    steps
}

/// Lets a step happen. Returns the topics under which the platform tells of it.
fn take(draft: &mut Draft<'_>, order: &mut ShopifyOrder, step: Step) -> [&'static str; 2] {
    match step {
        Step::Fulfil(line) => {
            let units = draft.number(1..=order.fulfillable(line));
            order.fulfil_at(LOCATION, FulfilmentStatus::Success, &[(line, units)]);
            let left = (0..order.line_count()).any(|line| order.fulfillable(line) > 0);
            [
                "fulfillments/create",
                if left { "orders/partially_fulfilled" } else { "orders/fulfilled" },
            ]
        }
        Step::Refund(line, restock) => {
            let most = match restock {
                Restock::Cancel => order.fulfillable(line),
                _ => order.returnable(line),
            };
            order.refund(restock, Some(LOCATION), &[(line, draft.number(1..=most))]);
            ["refunds/create", "orders/updated"]
        }
        Step::Add(line) => {
            order.edit(line, 1);
            ["orders/edited", "orders/updated"]
        }
        Step::Remove(line) => {
            order.edit(line, -1);
            ["orders/edited", "orders/updated"]
        }
    }
}

fn tell(draft: &mut Draft<'_>, story: &mut Story, order: &ShopifyOrder, topic: &'static str) {
    let webhook = webhook(draft, order, topic);
    draft.tell(story, webhook);
}

fn webhook(draft: &mut Draft<'_>, order: &ShopifyOrder, topic: &'static str) -> PlannedWebhook {
    let mut webhook = order.webhook(topic);
    webhook.webhook_id = draft.unique().to_string();
    webhook.event_id = draft.unique().to_string();
    let message = Message::Fixed(webhook.request());
    PlannedWebhook { id: Some(webhook.webhook_id), topic, message }
}
