//! Which items a line stands for: decided once, when the line is first seen, and kept.

use std::collections::BTreeMap;

use crate::fact::{LineClass, LineRef};
use crate::ids::{LineId, ListingKey, ShopId, Sku};
use crate::order::{LinePart, OrderLine};
use crate::policy::{Policy, UnknownSku};
use crate::view::{Listing, View};

pub(crate) struct Resolver<'a> {
    pub(crate) shop: &'a ShopId,
    pub(crate) view: &'a View,
    pub(crate) policy: &'a Policy,
}

impl Resolver<'_> {
    /// Gives every line seen for the first time its items; whether there was any. `Err` names the
    /// line that has none.
    pub(crate) fn resolve(
        &self,
        lines: &mut BTreeMap<LineId, OrderLine>,
        refs: &BTreeMap<LineId, LineRef>,
    ) -> Result<bool, String> {
        let mut changed = false;
        for (id, line) in refs {
            if lines.contains_key(id) {
                continue;
            }
            let parts = self.parts(id, line)?;
            lines.insert(id.clone(), OrderLine { sku: line.sku.clone(), parts });
            changed = true;
        }
        Ok(changed)
    }

    /// A listing that somebody made by hand goes first, then the line's own SKU, then what the
    /// platform's catalogue says of the variant.
    fn parts(&self, id: &LineId, line: &LineRef) -> Result<Vec<LinePart>, String> {
        if line.class == LineClass::NotStock {
            return Ok(Vec::new());
        }
        let listing = self.listing(line);
        if let Some(Listing { parts, by_hand: true }) = listing {
            return self.known(id, parts);
        }
        let own = line.sku.as_ref();
        let listed = listing.and_then(|listing| listing.parts.first()).map(|part| &part.sku);
        let mut candidates = own.into_iter().chain(listed);
        if let Some(sku) = candidates.find(|sku| self.view.stock.knows(sku)) {
            return Ok(vec![LinePart { sku: sku.clone(), units: 1 }]);
        }
        if line.class == LineClass::Untracked || self.policy.unknown_sku == UnknownSku::Ignore {
            return Ok(Vec::new());
        }
        let variant = line.variant.as_ref().map_or("none", |variant| variant.as_str());
        Err(match own.or(listed) {
            Some(sku) => format!("line {id} (variant {variant}): {}", self.no_stock_row(sku)),
            None => format!(
                "line {id} (variant {variant}) has no SKU, so it is no item of ours; \
                 `onhand listing set {} {variant} SKU` says what it is, and with \
                 `unknown_sku = \"ignore\"` in the shop's entry a replay passes over it",
                self.shop
            ),
        })
    }

    fn listing(&self, line: &LineRef) -> Option<&Listing> {
        let variant = line.variant.clone()?;
        self.view.listings.get(&ListingKey { shop: self.shop.clone(), variant })
    }

    /// All of a listing's parts, if each is an item.
    fn known(&self, id: &LineId, parts: &[LinePart]) -> Result<Vec<LinePart>, String> {
        match parts.iter().find(|part| !self.view.stock.knows(&part.sku)) {
            None => Ok(parts.to_vec()),
            Some(part) => {
                Err(format!("line {id}: its listing names {}", self.no_stock_row(&part.sku)))
            }
        }
    }

    fn no_stock_row(&self, sku: &Sku) -> String {
        let location = self.policy.locations.first().map_or("main", |location| location.as_str());
        format!(
            "SKU {sku} has no stock row; \
             `onhand stock set {sku} N --location {location}` or import it, then replay"
        )
    }
}
