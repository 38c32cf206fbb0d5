//! Answers. One error type with two messages: `Display` for us, [`Refusal::outside`] for them.

use axum::http::header::{CONNECTION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::Platform;
use platforms::Refused;
use queue::PublishError;

/// When a sender may come back. Platforms that retry have longer schedules of their own; this is
/// for load balancers and people.
const RETRY_AFTER_SECONDS: u16 = 5;

/// Why a request is not answered 200.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("there is no such path")]
    NotFound,
    #[error(
        "no shop with platform = \"{}\" has the name that the path ends with: see the shops file",
        .0.as_str()
    )]
    UnknownShop(Platform),
    #[error(
        "there is no such payment provider: the path is /webhooks/payments/PROVIDER/SHOP, and \
         PROVIDER is stripe, adyen, mollie or standard"
    )]
    UnknownProvider,
    #[error("{}", platforms::payments::PAYPAL)]
    PayPal,
    #[error("the path does not take this method")]
    MethodNotAllowed,
    #[error("the body is longer than {max} bytes")]
    TooLong { max: usize },
    #[error("the body did not arrive in time")]
    TooSlow,
    #[error("the body broke off or is not well-formed HTTP")]
    Broken(#[source] axum::Error),
    #[error("the bodies of other requests take all the room there is")]
    NoRoom,
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("the queue did not take the webhook")]
    NotQueued(#[source] PublishError),
    #[error("the queue did not confirm the webhook in time")]
    NotConfirmed,
}

impl Refusal {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Refusal::NotFound
            | Refusal::UnknownShop(_)
            | Refusal::UnknownProvider
            | Refusal::PayPal => StatusCode::NOT_FOUND,
            Refusal::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Refusal::TooLong { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Refusal::Broken(_) | Refusal::Refused(Refused::MissingHeader(_)) => {
                StatusCode::BAD_REQUEST
            }
            Refusal::Refused(Refused::Unauthorized(_) | Refused::Stale) => StatusCode::UNAUTHORIZED,
            Refusal::NoRoom | Refusal::NotQueued(_) | Refusal::NotConfirmed => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    /// For metrics and logs.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Refusal::NotFound => "not_found",
            Refusal::UnknownShop(_) => "unknown_shop",
            Refusal::UnknownProvider => "unknown_provider",
            Refusal::PayPal => "paypal",
            Refusal::MethodNotAllowed => "method_not_allowed",
            Refusal::TooLong { .. } => "body_too_long",
            Refusal::TooSlow => "body_too_slow",
            Refusal::Broken(_) => "body_broken",
            Refusal::NoRoom => "no_room",
            Refusal::Refused(Refused::Unauthorized(_)) => "bad_signature",
            Refusal::Refused(Refused::Stale) => "stale_signature",
            Refusal::Refused(Refused::MissingHeader(_)) => "missing_header",
            Refusal::NotQueued(PublishError::Unavailable(_)) => "queue_unavailable",
            Refusal::NotQueued(PublishError::Refused(_)) => "queue_refused",
            Refusal::NotConfirmed => "queue_timeout",
        }
    }

    /// What the sender is told: what is wrong with the request, and nothing about this side. All
    /// failed signatures look the same, so that nobody learns which domains are known here. A shop
    /// in a path is told of: its name is no secret, and somebody has to find the typing error.
    fn outside(&self) -> String {
        match self {
            Refusal::Refused(Refused::Unauthorized(_)) => {
                "the signature is missing or does not fit".to_owned()
            }
            Refusal::NoRoom | Refusal::NotQueued(_) | Refusal::NotConfirmed => {
                "cannot take the webhook right now, please send it again later".to_owned()
            }
            theirs => theirs.to_string(),
        }
    }

    /// Whether the body, or a part of it, is still to come: then the connection is of no more use.
    fn leaves_body_unread(&self) -> bool {
        match self {
            Refusal::NotFound
            | Refusal::UnknownShop(_)
            | Refusal::UnknownProvider
            | Refusal::PayPal
            | Refusal::MethodNotAllowed
            | Refusal::TooLong { .. }
            | Refusal::TooSlow
            | Refusal::Broken(_)
            | Refusal::NoRoom => true,
            Refusal::Refused(_) | Refusal::NotQueued(_) | Refusal::NotConfirmed => false,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status(), self.outside() + "\n").into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        if self.leaves_body_unread() {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if self.status() == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
        }
        response
    }
}
