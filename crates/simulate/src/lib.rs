//! The platforms' side: orders that live, the webhooks they send, and a sender that keeps a list.
//!
//! * [`shopify`]: orders that live as they do at Shopify, and the signed webhooks they send
//! * [`woocommerce`]: the same at a WooCommerce site
//! * [`payments`]: payments that live as they do at their providers, and their signed callbacks
//! * [`request`]: a webhook as any sender puts it on the wire
//! * [`sale`]: a plan of such webhooks for a flash sale, drawn from a seed; pure
//! * [`sender`]: sends a plan over HTTP as a platform would, and remembers every answer
//!
//! Nothing here knows what Onhand does with a webhook. That is the point: what was answered 200 is
//! on the sender's own list, and `onhand simulate` and `onhand demo` hold the store against it.

pub mod payments;
pub mod request;
pub mod sale;
pub mod sender;
pub mod shopify;
pub mod woocommerce;
