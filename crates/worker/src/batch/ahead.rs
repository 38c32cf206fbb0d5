//! What a batch looks up while another lane has the turn, so that its own is shorter.
//!
//! What is there already can be asked early, without the stock that lanes take turns for. Of a repeat
//! nothing matters but that it is one: the inbox only grows. And an order or a payment that is not
//! there needs no second look: should it come meanwhile, the commit finds out when it writes it.

use domain::{Keys, View};

use crate::prepare::{Prepared, linked};

/// The inbox rows of a batch.
pub(super) fn inbox(all: &Keys) -> Keys {
    Keys { webhooks: all.webhooks.clone(), ..Keys::default() }
}

/// Those of `batch` that are no repeats.
pub(super) fn fresh<'a>(batch: &'a [Prepared], inbox: &View) -> Vec<&'a Prepared> {
    let is_fresh =
        |one: &&Prepared| one.incoming.replay || !inbox.webhooks.contains_key(&one.incoming.key);
    batch.iter().filter(is_fresh).collect()
}

/// The orders and payments that may be there, of what is `wanted`.
pub(super) fn known(wanted: &Keys) -> Keys {
    let Keys { orders, payments, .. } = wanted.clone();
    Keys { orders, payments, ..Keys::default() }
}

/// What is still to be read when the turn comes: of the inbox what is there, and of what the `fresh`
/// ones `wanted` what is there and all stock.
pub(super) fn left(wanted: Keys, fresh: &[&Prepared], (inbox, known): (&View, &View)) -> Keys {
    let mut left = Keys { webhooks: inbox.webhooks.keys().cloned().collect(), ..wanted };
    left.orders.retain(|key| known.orders.contains_key(key));
    left.payments.retain(|key| known.payments.contains_key(key));
    left.orders.extend(linked(fresh.iter().copied(), known));
    left
}
