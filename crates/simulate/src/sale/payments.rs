//! The payments of orders, at one provider.

use std::collections::VecDeque;

use domain::{Provider, Timestamp};

use super::draft::{Draft, Story};
use super::{Basket, Message, PlannedOrder, PlannedWebhook};
use crate::payments::{PaymentLife, Step};
use crate::shopify::PRICE_CENTS;

/// Of payments, one in so many fails first.
const FAILED_FIRST_ONE_IN: u32 = 8;

/// Of payments that live on, one in so many is disputed; the others are refunded, some of them…
const DISPUTED_ONE_IN: u32 = 3;
/// …in two parts.
const REFUNDED_AGAIN_ONE_IN: u32 = 2;

/// The currency of the Shopify shop.
const CURRENCY: &str = "USD";

pub(super) fn live(
    draft: &mut Draft<'_>,
    provider: Provider,
    shop: &str,
    basket: &Basket,
) -> PlannedOrder {
    let units: i64 = basket.lines.iter().map(|(_, units)| units).sum();
    let amount = units * PRICE_CENTS;
    let mut life = PaymentLife::new(provider, shop, &draft.sale.secret, &basket.id.to_string())
        .known_by(draft.unique())
        .of(amount, CURRENCY);
    let cancelled = draft.happens(draft.sale.cancel_share);
    let steps = steps(draft, amount, cancelled);
    let mut webhooks: VecDeque<_> = (basket.placed_at..)
        .zip(steps)
        .map(|(second, step)| webhook(&mut life, step, Timestamp::from_seconds(second)))
        .collect();
    let first = match draft.happens(draft.sale.late_share) {
        true => webhooks.pop_front(),
        false => None,
    };
    let mut story = Story::at(basket.number);
    for webhook in webhooks {
        draft.tell(&mut story, webhook);
        story.next_stage();
    }
    if let Some(first) = first {
        draft.tell_late(&mut story, first);
    }
    basket.planned(basket.id, !cancelled, cancelled)
}

fn steps(draft: &mut Draft<'_>, amount: i64, cancelled: bool) -> Vec<Step> {
    let mut steps = Vec::new();
    if draft.one_in(FAILED_FIRST_ONE_IN) {
        steps.push(Step::Fail);
    }
    steps.push(Step::Authorise);
    if cancelled {
        steps.push(Step::Cancel);
        return steps;
    }
    steps.push(Step::Capture);
    if draft.happens(draft.sale.life_share) {
        if draft.one_in(DISPUTED_ONE_IN) {
            steps.push(Step::Dispute);
            return steps;
        }
        let part = draft.number(1..=amount - 1);
        steps.push(Step::Refund(part));
        if draft.one_in(REFUNDED_AGAIN_ONE_IN) {
            steps.push(Step::Refund(amount - part));
        }
    }
    steps
}

fn webhook(life: &mut PaymentLife, step: Step, at: Timestamp) -> PlannedWebhook {
    let callback = life.callback(step, at);
    let (id, topic) = (Some(callback.id.clone()), step.as_str());
    PlannedWebhook { id, topic, message: Message::Payment(callback) }
}
