//! HMAC-SHA256 over the raw body.
