//! What a shop sells, as it tells it: seen, kept beside our own stock, never moving it.

use domain::sighting::{Sighting, Thing};
use domain::{Envelope, Fact, Meaning, Sku, Variant};

use super::body::{self, Product};
use super::scalar::{Id, Label};
use crate::unfit::Unfit;
use crate::value;

/// A product, or one of a product's variations: both come under the same topics.
pub(super) fn product(envelope: &Envelope) -> Result<Meaning, Unfit> {
    let product: Product<'_> = value::read(&envelope.body)?;
    if !product.is_product() {
        let error = product.id.is_none().then(|| body::problem(&envelope.body, "the product"));
        let other = Unfit::Other("something without a product's manage_stock");
        return Err(error.flatten().unwrap_or(other));
    }
    let id = product.id.ok_or("id: missing")?;
    let thing = Thing::Variant {
        variant: variant(id),
        product: None,
        sku: product.sku.as_ref().and_then(Label::text).map(Sku::new),
        inventory_item: None,
        available: product.available(),
    };
    // Out of the bin again: its deletion was dated by our clock, so this is, too.
    let date = product.date_modified_gmt.filter(|_| envelope.topic != "product.restored");
    let seen_at = date.map_or(envelope.received_at, |date| date.0.min(envelope.received_at));
    Ok(sighting(Sighting { seen_at, thing, gone: false }))
}

/// `product.deleted`.
pub(super) fn deleted(envelope: &Envelope) -> Result<Meaning, Unfit> {
    let variant = variant(body::deleted(&envelope.body)?);
    let thing =
        Thing::Variant { variant, product: None, sku: None, inventory_item: None, available: None };
    Ok(sighting(Sighting { seen_at: envelope.received_at, thing, gone: true }))
}

fn variant(id: Id) -> Variant {
    Variant::new(id.to_string())
}

fn sighting(sighting: Sighting) -> Meaning {
    Meaning::Fact(Fact::Sightings(vec![sighting]))
}
