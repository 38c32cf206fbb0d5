//! Requests that were recorded as they came, with the lines of HTTP before the body.

/// What the lines before a body tell.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) topic: Option<String>,
}

/// The headers in which platforms name their topics.
const TOPICS: [&str; 3] = ["x-shopify-topic", "shopify-topic", "x-wc-webhook-topic"];

/// Splits what begins as a request does into its head and its body. Everything else is a body.
pub(super) fn split(file: &[u8]) -> (Head, &[u8]) {
    let nothing = (Head::default(), file);
    let Some((head, body)) = at_empty_line(file) else { return nothing };
    let Ok(head) = str::from_utf8(head) else { return nothing };
    let mut lines = head.lines();
    if !lines.next().is_some_and(is_request_line) {
        return nothing;
    }
    let headers = lines.filter_map(|line| line.split_once(':'));
    let topic = headers
        .filter(|(name, _)| TOPICS.iter().any(|topic| name.eq_ignore_ascii_case(topic)))
        .map(|(_, value)| value.trim().to_owned())
        .find(|topic| !topic.is_empty());
    (Head { topic }, body)
}

/// `POST /webhooks/shopify HTTP/1.1`
fn is_request_line(line: &str) -> bool {
    let words: Vec<&str> = line.split(' ').collect();
    let [method, _, version] = words[..] else { return false };
    version.starts_with("HTTP/")
        && !method.is_empty()
        && method.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn at_empty_line(file: &[u8]) -> Option<(&[u8], &[u8])> {
    [&b"\r\n\r\n"[..], b"\n\n"]
        .into_iter()
        .filter_map(|gap| {
            let at = file.windows(gap.len()).position(|window| window == gap)?;
            Some((&file[..at], &file[at + gap.len()..]))
        })
        .min_by_key(|(head, _)| head.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorded_request_is_its_body_and_names_its_topic() {
        for gap in ["\n", "\r\n"] {
            let head = ["POST /hooks HTTP/1.1", "Host: x", "X-WC-Webhook-Topic: order.updated", ""];
            let file = head.join(gap) + gap + "{\"id\":1}";
            let topic = Some("order.updated".to_owned());
            assert_eq!(split(file.as_bytes()), (Head { topic }, &b"{\"id\":1}"[..]), "{gap:?}");
        }
    }

    #[test]
    fn everything_else_is_a_body() {
        for file in ["", "{}", "{\n\n}", "id=tr_1", "POST it\n\nnow", "GET / HTTP/1.1\nHost: x"] {
            assert_eq!(split(file.as_bytes()), (Head::default(), file.as_bytes()), "{file:?}");
        }
    }
}
