//! In and out.

use askama::Template;
use axum::extract::{Query, State};
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Form, Router};
use serde::Deserialize;

use super::guard::{LOGIN, is_https};
use super::session::{Session, end_cookie};
use crate::Console;
use crate::pages::{Frame, render};

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    frame: Frame,
    next: String,
    is_wrong: bool,
}

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
struct Login {
    token: String,
    #[serde(default)]
    next: String,
}

pub(crate) fn routes() -> Router<Console> {
    Router::new().route(LOGIN, get(form).post(login)).route("/console/logout", post(logout))
}

async fn form(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    Query(asked): Query<Asked>,
) -> Response {
    page(&console, &session, asked.next, false)
}

async fn login(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    headers: HeaderMap,
    Form(login): Form<Login>,
) -> Response {
    let Some(who) = console.access.who_has(login.token.trim()) else {
        tracing::warn!("somebody tried to log in to the console with a wrong token");
        let mut refused = page(&console, &session, login.next, true);
        *refused.status_mut() = StatusCode::UNAUTHORIZED;
        return refused;
    };
    let session = Session::start(&console.access, who, operate::now().0 / 1_000_000);
    let cookie = session.set_cookie(is_https(&headers));
    (StatusCode::SEE_OTHER, [(SET_COOKIE, cookie), (LOCATION, inside(&login.next))]).into_response()
}

async fn logout(headers: HeaderMap) -> Response {
    let cookie = end_cookie(is_https(&headers));
    (StatusCode::SEE_OTHER, [(SET_COOKIE, cookie), (LOCATION, LOGIN.to_owned())]).into_response()
}

fn page(console: &Console, session: &Session, next: String, is_wrong: bool) -> Response {
    let frame = Frame::new(console, session, "", "Log in");
    render(&LoginPage { frame, next, is_wrong })
}

/// Where to go on: never away from the console.
fn inside(next: &str) -> String {
    let is_inside = next.strip_prefix("/console").is_some_and(|rest| {
        matches!(rest.chars().next(), None | Some('/' | '?'))
            && rest.bytes().all(|byte| byte.is_ascii_graphic())
    });
    if is_inside { next.to_owned() } else { "/console".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_never_leads_away() {
        assert_eq!(inside("/console/orders?q=%231001"), "/console/orders?q=%231001");
        for away in
            ["", "https://evil.example", "//evil.example", "/console.evil", "/console/\r\nX: y"]
        {
            assert_eq!(inside(away), "/console", "{away:?}");
        }
    }
}
