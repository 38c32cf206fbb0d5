//! A webhook as any sender puts it on the wire.

use bytes::Bytes;

/// One HTTP POST.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// From the ingress's root, such as `/webhooks/woocommerce/site`.
    pub path: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Bytes,
}
