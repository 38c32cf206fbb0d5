//! What every request to the console passes first.
//!
//! A POST by cookie is believed only from a page of ours: the browser says where it comes from
//! (`Origin`), and the form carries the token of its session. Both are checked here, before any
//! handler, so no handler can forget to.

use axum::Form;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, Request, State};
use axum::http::header::{AUTHORIZATION, COOKIE, HOST, LOCATION, ORIGIN, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::session::{Role, Session};
use super::{Access, Mode};
use crate::Console;
use crate::pages::{Trouble, is_for_scripts};
use crate::view::encode;

/// Bytes of the longest form.
const FORM_BYTES_MAX: usize = 16 * 1024;

pub(super) const LOGIN: &str = "/console/login";

#[derive(Deserialize)]
struct FormToken {
    #[serde(default)]
    csrf: String,
}

pub(crate) async fn guard(
    State(console): State<Console>,
    mut request: Request,
    next: Next,
) -> Response {
    let access = &console.access;
    let (session, is_new) = match enter(access, request.headers(), operate::now().0 / 1_000_000) {
        Ok(entered) => entered,
        Err(trouble) => return trouble.into_response(),
    };
    let is_login = request.uri().path() == LOGIN;
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    if session.who.role == Role::Nobody && !is_login {
        return match is_read {
            true => to_login(&request),
            false => Trouble::new(StatusCode::UNAUTHORIZED, "Log in first.").into_response(),
        };
    }
    if !is_read {
        if session.who.role == Role::Reader && request.uri().path() != "/console/logout" {
            return Trouble::forbidden("This token may look, not change anything.").into_response();
        }
        request = match checked(access, &session, request).await {
            Ok(request) => request,
            Err(trouble) => return trouble.into_response(),
        };
    }
    let secure = is_https(request.headers());
    request.extensions_mut().insert(session.clone());
    let mut response = next.run(request).await;
    if is_new
        && !response.headers().contains_key(SET_COOKIE)
        && let Ok(cookie) = HeaderValue::from_str(&session.set_cookie(secure))
    {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// Who asks, and whether their session begins with this request.
fn enter(access: &Access, headers: &HeaderMap, now: i64) -> Result<(Session, bool), Trouble> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let known = text(COOKIE).and_then(|cookies| Session::from_cookies(access, cookies, now));
    match access.mode() {
        Mode::Closed => Err(Trouble::forbidden(
            "The console is closed: it listens on an address that others reach, and no token is \
             set. Set ONHAND_CONSOLE_TOKEN, or listen on 127.0.0.1.",
        )),
        Mode::Local if !is_local(text(HOST).unwrap_or_default()) => Err(Trouble::new(
            StatusCode::MISDIRECTED_REQUEST,
            "Without a token the console answers only to names of this machine, such as \
             localhost. Set ONHAND_CONSOLE_TOKEN to use another.",
        )),
        Mode::Local => Ok(match known.filter(|session| session.who.role == Role::Local) {
            Some(session) => (session, false),
            None => (Session::start(access, Role::Local.into(), now), true),
        }),
        Mode::Tokens => {
            let bearer = text(AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
            if let Some(token) = bearer {
                let who = access.who_has(token.trim());
                return who.map(|who| (Session::bearer(who), false)).ok_or_else(|| {
                    Trouble::new(StatusCode::UNAUTHORIZED, "No console token is this one.")
                });
            }
            Ok(match known.filter(|session| session.who.role != Role::Local) {
                Some(session) => (session, false),
                None => (Session::start(access, Role::Nobody.into(), now), true),
            })
        }
    }
}

/// The request again, if it comes from a form of ours.
async fn checked(access: &Access, session: &Session, request: Request) -> Result<Request, Trouble> {
    if !session.is_cookie() {
        return Ok(request);
    }
    if !is_same_origin(request.headers()) {
        return Err(Trouble::forbidden("This did not come from a page of this console."));
    }
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, FORM_BYTES_MAX)
        .await
        .map_err(|_| Trouble::new(StatusCode::PAYLOAD_TOO_LARGE, "The form is too long."))?;
    let copy = Request::from_parts(parts.clone(), Body::from(body.clone()));
    let token = Form::<FormToken>::from_request(copy, &()).await;
    match token {
        Ok(Form(form)) if session.accepts(access, &form.csrf) => {
            Ok(Request::from_parts(parts, Body::from(body)))
        }
        _ => Err(Trouble::forbidden(
            "This form is not of your session, or is older than it: load its page again.",
        )),
    }
}

/// Browsers name the page's origin in every POST. Behind a proxy the host's name may be another.
fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(origin) = text(ORIGIN.as_str()) else { return false };
    let Some((_, authority)) = origin.split_once("://") else { return false };
    [HOST.as_str(), "x-forwarded-host"].iter().any(|name| text(name) == Some(authority))
}

fn is_local(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

pub(super) fn is_https(headers: &HeaderMap) -> bool {
    headers.get("x-forwarded-proto").is_some_and(|scheme| scheme == "https")
}

fn to_login(request: &Request) -> Response {
    if is_for_scripts(request.uri().path()) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let asked = request.uri().path_and_query().map_or("/console", |it| it.as_str());
    let login = format!("{LOGIN}?next={}", encode(asked));
    (StatusCode::SEE_OTHER, [(LOCATION, login)]).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_local() {
        for host in ["localhost", "localhost:8081", "127.0.0.1:8081", "[::1]:8081", "LOCALHOST:1"] {
            assert!(is_local(host), "{host}");
        }
        for host in
            ["", "example.com", "localhost.example.com:8081", "192.0.2.1", "127.0.0.1.nip.io"]
        {
            assert!(!is_local(host), "{host}");
        }
    }

    #[test]
    fn a_post_comes_from_its_own_origin() {
        let from = |host: &str, origin: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, host.parse().expect("a host"));
            if let Some(origin) = origin {
                headers.insert(ORIGIN, origin.parse().expect("an origin"));
            }
            is_same_origin(&headers)
        };
        assert!(from("localhost:8081", Some("http://localhost:8081")));
        assert!(!from("localhost:8081", Some("http://localhost:8082")));
        assert!(!from("localhost:8081", Some("https://evil.example")));
        assert!(!from("localhost:8081", Some("null")));
        assert!(!from("localhost:8081", None));
    }
}
