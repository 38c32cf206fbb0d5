//! Every page of the console; see [`router`] for the paths.
//!
//! Pages only read, each a bounded number of rows. What changes something is in [`crate::act`].

use askama::Template;
use axum::extract::FromRequestParts;
use axum::extract::rejection::QueryRejection;
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use domain::ShopId;
use serde::de::DeserializeOwned;
use store::StoreError;

use crate::access::{self, Mode, Role, Session};
use crate::view::prose;
use crate::{Console, act, headers};

mod chart;
mod dead;
mod levels;
mod operations;
mod orders;
mod overview;
mod pulse;
mod queue;
mod shops;
mod stock;
mod stream;
mod trends;
mod webhooks;

pub(crate) use orders::find as find_order;
pub(crate) use stream::Seen;
pub(crate) use webhooks::{One as WebhookAsked, page_of as page_of_webhook};

/// Rows of a page.
pub(crate) const ROWS: i64 = 50;

/// Characters of the longest text that is searched for.
const ASKED_MAX: usize = 512;

/// What the overview's script asks for: the numbers as they come, and where that is refused, once.
pub(crate) const STREAM: &str = "/console/stream";
pub(crate) const LIVE: &str = "/console/live";

/// Whether a script asks, which must not be taken to the page to log in for what it asked for.
pub(crate) fn is_for_scripts(path: &str) -> bool {
    path == STREAM || path == LIVE || path.ends_with(".json")
}

pub(crate) fn router(console: Console) -> Router {
    let inside = Router::new()
        .route("/console", get(overview::overview))
        .route(STREAM, get(stream::stream))
        .route(LIVE, get(overview::live))
        .route("/console/trends.json", get(trends::json))
        .route("/console/trends", get(trends::table))
        .route("/console/stock", get(stock::list))
        .route("/console/stock/item", get(stock::item))
        .route(levels::PATH, get(levels::json))
        .route("/console/orders", get(orders::list))
        .route("/console/order", get(orders::order))
        .route("/console/webhooks", get(webhooks::list))
        .route("/console/webhook", get(webhooks::one))
        .route("/console/dead", get(dead::list))
        .route("/console/dead/letter", get(dead::letter))
        .route("/console/shops", get(shops::list))
        .route("/console/operations", get(operations::list))
        .merge(act::routes())
        .merge(access::routes())
        .layer(middleware::from_fn_with_state(console.clone(), access::guard));
    let to_console = get(|| async { (StatusCode::SEE_OTHER, [(LOCATION, "/console")]) });
    let assets = ASSETS.into_iter().fold(Router::new(), |router, (path, kind, text)| {
        router.route(path, get(move || asset(kind, text)))
    });
    inside
        .merge(assets)
        .route("/", to_console)
        .fallback(|| async { StatusCode::NOT_FOUND })
        .layer(middleware::map_response(in_words))
        .layer(middleware::map_response(headers::secure))
        .with_state(console)
}

const CSS: &str = "text/css";
const SCRIPT: &str = "text/javascript";

/// Files of the pages. uPlot is of Leon Sorokin, under the MIT licence (`assets/uplot.LICENSE`).
const ASSETS: [(&str, &str, &str); 7] = [
    ("/console/style.css", CSS, include_str!("../../assets/style.css")),
    ("/console/live.js", SCRIPT, include_str!("../../assets/live.js")),
    ("/console/go_on.js", SCRIPT, include_str!("../../assets/go_on.js")),
    ("/console/charts.js", SCRIPT, include_str!("../../assets/charts.js")),
    ("/console/uplot.js", SCRIPT, include_str!("../../assets/uplot.js")),
    ("/console/uplot.css", CSS, include_str!("../../assets/uplot.css")),
    ("/console/icon.svg", "image/svg+xml", include_str!("../../assets/icon.svg")),
];

async fn asset(kind: &'static str, text: &'static str) -> Response {
    let headers = [(CONTENT_TYPE, kind), (CACHE_CONTROL, "max-age=300")];
    (headers, text).into_response()
}

/// What stands around every page.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) title: String,
    /// Of the navigation; empty: none.
    pub(crate) section: &'static str,
    /// Their name, or else their role.
    pub(crate) who: String,
    pub(crate) may_act: bool,
    /// Can log out.
    pub(crate) has_token: bool,
    pub(crate) csrf: String,
}

impl Frame {
    pub(crate) fn new(
        console: &Console,
        session: &Session,
        section: &'static str,
        title: impl Into<String>,
    ) -> Self {
        Self {
            title: title.into(),
            section,
            who: session.who.as_str().to_owned(),
            may_act: session.who.may_act(),
            has_token: console.access.mode() == Mode::Tokens && session.who.role != Role::Nobody,
            csrf: session.form_token(&console.access),
        }
    }

    /// For the link of a section, if it is this one.
    pub(crate) fn current(&self, section: &str) -> bool {
        self.section == section
    }
}

pub(crate) fn render(page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => Html(html).into_response(),
        Err(error) => {
            tracing::error!(error = %error, "a page of the console cannot be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Why there is no page, in words for whoever asked.
#[derive(Debug)]
pub(crate) struct Trouble {
    status: StatusCode,
    text: String,
}

#[derive(Template)]
#[template(path = "trouble.html")]
struct TroublePage<'a> {
    title: &'a str,
    text: Vec<(bool, String)>,
}

impl Trouble {
    pub(crate) fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into() }
    }

    /// It was logged where it was noticed.
    pub(crate) fn database_away() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, DATABASE_AWAY)
    }

    pub(crate) fn forbidden(text: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, text)
    }

    pub(crate) fn not_found(text: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, text)
    }

    pub(crate) fn bad(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, text)
    }
}

const DATABASE_AWAY: &str = "The database does not answer. Webhooks are received all the same, and \
    applied when it is back. `onhand doctor` says more.";

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        tracing::error!(
            error = operate::error_chain(&error),
            "the console cannot read the database"
        );
        match error {
            StoreError::Unavailable(_) | StoreError::TryAgain(_) => Self::database_away(),
            StoreError::Rejected(_) | StoreError::Schema(_) => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "The database holds what this program cannot read, or is of another version. The \
                 log says what it is, and `onhand doctor` may.",
            ),
        }
    }
}

impl From<anyhow::Error> for Trouble {
    fn from(error: anyhow::Error) -> Self {
        tracing::error!(error = format!("{error:#}"), "the console could not do what was asked");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, format!("It was not done: {error}."))
    }
}

impl From<QueryRejection> for Trouble {
    fn from(_: QueryRejection) -> Self {
        Self::bad("The address of this page is not one that a page of the console links to.")
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let title = self.status.canonical_reason().unwrap_or("Trouble");
        let page = TroublePage { title, text: prose(&self.text) };
        // Of a page that cannot be made, the text has to do.
        let html = page.render().unwrap_or_else(|_| format!("<p>{title}"));
        (self.status, Html(html)).into_response()
    }
}

/// No answer says nothing: what the framework would leave blank, or say in its own words, gets a page.
async fn in_words(response: Response) -> Response {
    let status = response.status();
    let is_page = |kind: &HeaderValue| kind.as_bytes().starts_with(b"text/html");
    let is_error = status.is_client_error() || status.is_server_error();
    if !is_error || response.headers().get(CONTENT_TYPE).is_some_and(is_page) {
        return response;
    }
    let text = match status {
        StatusCode::NOT_FOUND => "There is no such page.",
        StatusCode::METHOD_NOT_ALLOWED => "Nothing is to be had of this address in this way.",
        StatusCode::UNAUTHORIZED => "Log in first.",
        _ if status.is_server_error() => "This page could not be made. The log says why.",
        _ => "This form is not one of the console's, or not all of it came: load its page again.",
    };
    let mut page = Trouble::new(status, text).into_response();
    for (name, value) in response.headers().iter().filter(|(name, _)| *name == ALLOW) {
        page.headers_mut().append(name, value.clone());
    }
    page
}

/// What a page is asked for. A field that was left empty is as one that is not there.
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Trouble> {
        let axum::extract::Query(asked) =
            axum::extract::Query::from_request_parts(parts, state).await?;
        Ok(Self(asked))
    }
}

/// A text from a form: trimmed, and nothing if it is empty. Databases take no NUL.
pub(crate) fn asked(text: &str) -> Option<String> {
    let text: String = text.trim().chars().filter(|c| *c != '\0').take(ASKED_MAX).collect();
    (!text.is_empty()).then_some(text)
}

pub(crate) type Answer = Result<Response, Trouble>;

pub(crate) type Asker = Extension<Session>;

/// A choice of a `<select>`.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) value: String,
    pub(crate) is_chosen: bool,
}

pub(crate) fn choices<'a>(
    values: impl IntoIterator<Item = &'a str>,
    chosen: Option<&str>,
) -> Vec<Choice> {
    let choice = |value: &str| Choice { value: value.to_owned(), is_chosen: chosen == Some(value) };
    values.into_iter().map(choice).collect()
}

/// The shops of the file, as choices.
pub(crate) fn shop_choices(console: &Console, chosen: Option<&str>) -> Vec<Choice> {
    let shops = console.shops.borrow();
    let names: Vec<ShopId> = shops.iter().map(|shop| shop.name.clone()).collect();
    drop(shops);
    choices(names.iter().map(|name| name.as_str()), chosen)
}
