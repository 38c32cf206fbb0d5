//! What one sender, and all senders together, may ask of an ingress.

use std::time::Duration;

/// Every field has a default that suits the open internet.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest body. Shopify's reach a few megabytes; a truncated one could not be verified.
    pub body_bytes_max: usize,
    /// The bodies of all requests in progress together; at least one of the longest always fits.
    pub in_flight_bytes_max: usize,
    /// From the end of a request's header to the end of its body.
    pub body_timeout: Duration,
    /// How long the queue may take to confirm before the answer is 503. With Shopify's own limit of
    /// 5 s, what is answered later is not seen. A spool gives the broker 2 s of this.
    pub publish_timeout: Duration,
    /// Connections and headers.
    pub http: serve::Limits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes_max: 8 * 1024 * 1024,
            in_flight_bytes_max: 128 * 1024 * 1024,
            body_timeout: Duration::from_secs(10),
            publish_timeout: Duration::from_millis(3_500),
            http: serve::Limits::default(),
        }
    }
}
