use domain::payment::PaymentEventKind as Kind;
use domain::{BodyHash, DeadReason, Envelope, Meaning, Provider, Timestamp};
use platforms::Refused;
use serde_json::{Value, json};

use super::{NOT_SIGNED, NOW, WRONGLY_SIGNED};

/// Of Adyen's adyen-java-api-library, HMACValidatorTest.
const KEY: &str = "74F490DD33F7327BAECC88B2947C011FC02D014A473AAA33A8EC93E4DC069174";

fn receive(secrets: &[&str], body: &str) -> Result<Vec<Envelope>, Refused> {
    super::receive(Provider::Adyen, secrets, NOW, &[], body.as_bytes())
}

/// A notification with these items, written as they are.
fn list(items: &[String]) -> String {
    let wrapped: Vec<String> =
        items.iter().map(|item| format!(r#"{{"NotificationRequestItem": {item} }}"#)).collect();
    format!(r#"{{"live":"false", "notificationItems": [{}]}}"#, wrapped.join(" , "))
}

fn item(code: &str, success: &str) -> Value {
    json!({"pspReference": "P1", "originalReference": "", "merchantAccountCode": "Shop",
           "merchantReference": "5001", "amount": {"value": 4_999, "currency": "EUR"},
           "eventCode": code, "success": success, "eventDate": "2026-11-21T13:00:00+01:00"})
}

fn signed(mut item: Value, key: &str) -> String {
    let text = |field: &Value| field.as_str().map_or_else(|| field.to_string(), str::to_owned);
    let fields = [
        &item["pspReference"],
        &item["originalReference"],
        &item["merchantAccountCode"],
        &item["merchantReference"],
        &item["amount"]["value"],
        &item["amount"]["currency"],
        &item["eventCode"],
        &item["success"],
    ];
    let joined =
        fields.map(|field| if field.is_null() { String::new() } else { text(field) }).join(":");
    let key: Vec<u8> = (0..key.len() / 2)
        .map(|at| u8::from_str_radix(&key[2 * at..][..2], 16).expect("hex"))
        .collect();
    item["additionalData"]["hmacSignature"] =
        json!(super::base64(&super::mac(&key, joined.as_bytes())));
    item.to_string()
}

/// Of HMACValidatorTest.testValidateHMACWithoutEscaping.
const SLASHES: &str = r#"{
  "additionalData": {"hmacSignature": "CZErGCNQaSsxbaQfZaJlakqo7KPP+mIa8a+wx3yNs9A=", "x": [1]},
  "amount": {"currency": "EUR", "value": 1000},
  "eventCode": "AUTHORISATION",
  "merchantAccountCode": "AntoniStroinski",
  "merchantReference": "\\:/\\/slashes are fun",
  "pspReference": "ZVWN7D3WSMK2WN82",
  "success": "true"
}"#;

#[test]
fn the_senders_own_vectors_verify() {
    let envelopes = receive(&[KEY], &list(&[SLASHES.to_owned()])).expect("it is signed");
    let [envelope] = envelopes.as_slice() else { panic!("not one: {envelopes:?}") };
    assert_eq!(envelope.webhook.as_str(), "ZVWN7D3WSMK2WN82:AUTHORISATION:true");
    assert_eq!(envelope.topic, "AUTHORISATION");
    assert_eq!(&envelope.body[..], SLASHES.as_bytes());
    match platforms::parse(envelope) {
        Meaning::Fact(domain::Fact::Payment(fact)) => {
            assert_eq!(super::references(&fact), [r"\:/\/slashes are fun"]);
        }
        other => panic!("{other:?}"),
    }

    // Of HMACValidatorTest.testValidateHMAC.
    let report = r#"{"pspReference": "test_REPORT_AVAILABLE", "merchantAccountCode": "Magento2Rik",
        "merchantReference": "testMerchantRef1", "amount": {"value": 0, "currency": "EUR"},
        "eventCode": "REPORT_AVAILABLE", "success": true, "originalReference": null,
        "additionalData": {"hmacSignature": "NuEkADFmlCC6VgX+wcoPAegIWxVPNBPCuKlM4Hzo5qc="}}"#;
    let key = "9064450A8892A093D9E97EFCC9639DE31B74F3A7803135555A3C96F5A57915D6";
    let envelopes = receive(&[key], &list(&[report.to_owned()])).expect("it is signed");
    assert_eq!(platforms::parse(&envelopes[0]), Meaning::Ignored("unsupported_topic"));
    assert!(receive(&[&key.to_lowercase()], &list(&[report.to_owned()])).is_ok());
}

#[test]
fn every_item_becomes_an_envelope_of_its_own() {
    let items = [
        signed(item("AUTHORISATION", "true"), KEY),
        signed(item("CAPTURE", "true"), KEY),
        signed(item("AUTHORISATION", "true"), KEY),
    ];
    let envelopes = receive(&["new", KEY], &list(&items)).expect("they are signed");
    assert_eq!(envelopes.len(), 3);
    for (envelope, item) in envelopes.iter().zip(&items) {
        assert_eq!(&envelope.body[..], item.as_bytes());
        assert_eq!((envelope.provider, envelope.shop.as_str()), (Some(Provider::Adyen), "pay"));
        assert_eq!(envelope.received_at, Timestamp::from_seconds(NOW));
    }
    assert_ne!(envelopes[0].id, envelopes[1].id);
    assert_ne!(envelopes[0].key(), envelopes[1].key());
    assert_eq!(envelopes[0].key(), envelopes[2].key());
    let mut long = item("AUTHORISATION", "true");
    long["pspReference"] = json!("P".repeat(200));
    let long = signed(long, KEY);
    let envelope = &receive(&[KEY], &list(std::slice::from_ref(&long))).unwrap()[0];
    assert_eq!(envelope.webhook.as_str(), BodyHash::of(long.as_bytes()).to_string());
}

#[test]
fn one_bad_item_spoils_the_request() {
    let good = || signed(item("AUTHORISATION", "true"), KEY);
    let other = KEY.replace('7', "8");
    let mut changed: Value = serde_json::from_str(&good()).unwrap();
    changed["success"] = json!("false");
    for bad in [signed(item("CAPTURE", "true"), &other), changed.to_string()] {
        assert_eq!(receive(&[KEY], &list(&[good(), bad.clone()])), Err(WRONGLY_SIGNED));
        assert_eq!(receive(&[KEY], &list(&[bad, good()])), Err(WRONGLY_SIGNED));
    }
    let unsigned = item("CAPTURE", "true").to_string();
    assert_eq!(receive(&[KEY], &list(&[good(), unsigned])), Err(NOT_SIGNED));
    for body in [
        list(&[]),
        list(&["null".into()]),
        list(&vec![good(); 101]),
        good(),
        "{}".into(),
        "[]".into(),
        String::new(),
        r#"{"notificationItems":{}}"#.into(),
        format!(r#"{{"notificationItems":[{}]}}"#, good()),
        format!("{}x", list(&[good()])),
        // A field twice: which of them was meant?
        list(&[good().replacen('{', r#"{"success":"true","#, 1)]),
    ] {
        assert_eq!(receive(&[KEY], &body), Err(NOT_SIGNED), "{body:.100}");
    }
}

#[test]
fn the_key_is_hexadecimal_and_no_text() {
    let joined = b"P1::Shop:5001:4999:EUR:CAPTURE:true";
    let mut item = item("CAPTURE", "true");
    for key in ["not hex", "ABC", "zz", KEY] {
        let mac = super::mac(key.as_bytes(), joined);
        item["additionalData"] = json!({"hmacSignature": super::base64(&mac)});
        assert_eq!(receive(&[key], &list(&[item.to_string()])), Err(WRONGLY_SIGNED), "{key}");
    }
    let empty = super::mac(b"", joined);
    item["additionalData"] = json!({"hmacSignature": super::base64(&empty)});
    assert_eq!(receive(&["not hex"], &list(&[item.to_string()])), Err(WRONGLY_SIGNED));
    assert_eq!(receive(&[], &list(&[item.to_string()])), Err(WRONGLY_SIGNED));
}

#[test]
fn a_colon_cannot_move_from_field_to_field() {
    // All of these would be the same text once they are joined.
    let mut honest = item("CAPTURE", "true");
    honest["merchantReference"] = json!("5001:1");
    let good: Value = serde_json::from_str(&signed(honest, KEY)).unwrap();
    assert!(receive(&[KEY], &list(&[good.to_string()])).is_ok());
    for (original, account, reference) in
        [("", "Shop:5001", "1"), (":Shop", "5001", "1"), ("", "Shop", "5001:1:4999")]
    {
        let mut forged = good.clone();
        forged["originalReference"] = json!(original);
        forged["merchantAccountCode"] = json!(account);
        forged["merchantReference"] = json!(reference);
        assert!(receive(&[KEY], &list(&[forged.to_string()])).is_err(), "{account}");
    }
}

#[test]
fn every_changed_signed_byte_is_noticed() {
    let mut short = item("CAPTURE", "true");
    short.as_object_mut().unwrap().remove("eventDate");
    let good = signed(short, KEY);
    assert!(receive(&[KEY], &list(std::slice::from_ref(&good))).is_ok());
    for place in 0..good.len() {
        let mut body = good.clone().into_bytes();
        body[place] ^= 1;
        let body = String::from_utf8(body).unwrap();
        // The field that is empty may as well be called otherwise.
        if !body.contains("originalReference") {
            continue;
        }
        assert!(receive(&[KEY], &list(std::slice::from_ref(&body))).is_err(), "{body}");
    }
}

#[test]
fn every_event_code_means_what_it_says() {
    for (code, success, expected) in [
        ("AUTHORISATION", "true", (Kind::Authorised, Some(4_999))),
        ("AUTHORISATION", "false", (Kind::Failed, Some(0))),
        ("CAPTURE", "true", (Kind::Captured, Some(4_999))),
        ("CAPTURE", "false", (Kind::CaptureFailed, Some(0))),
        ("CAPTURE_FAILED", "true", (Kind::CaptureFailed, Some(4_999))),
        ("CANCELLATION", "true", (Kind::Cancelled, Some(4_999))),
        ("TECHNICAL_CANCEL", "true", (Kind::Cancelled, Some(4_999))),
        ("OFFER_CLOSED", "true", (Kind::Cancelled, Some(4_999))),
        ("REFUND", "true", (Kind::Refunded, Some(4_999))),
        ("REFUND", "false", (Kind::RefundFailed, Some(0))),
        ("REFUND_FAILED", "true", (Kind::RefundFailed, Some(4_999))),
        ("REFUNDED_REVERSED", "true", (Kind::RefundFailed, Some(4_999))),
        ("NOTIFICATION_OF_CHARGEBACK", "true", (Kind::Disputed, Some(4_999))),
        ("CHARGEBACK", "true", (Kind::DisputeLost, Some(4_999))),
        ("SECOND_CHARGEBACK", "true", (Kind::DisputeLost, Some(4_999))),
        ("CHARGEBACK_REVERSED", "true", (Kind::DisputeWon, Some(4_999))),
    ] {
        let mut item = item(code, success);
        assert_eq!(super::told(Provider::Adyen, &item), expected, "{code} {success}");
        let of_payment = super::fact(Provider::Adyen, &item);
        assert_eq!(of_payment.payment.as_str(), "adyen:P1");
        let refund = code.starts_with("REFUND");
        let expected: &[&str] = if refund { &[] } else { &["5001"] };
        assert_eq!(super::references(&of_payment), expected, "{code}");
        let (id, event) = super::event(&of_payment);
        assert_eq!(id, format!("P1:{code}:{success}"));
        assert_eq!(event.at, Timestamp::from_seconds(1_795_262_400));
        item["originalReference"] = json!("P0");
        item["eventDate"] = json!("yesterday");
        let of_original = super::fact(Provider::Adyen, &item);
        assert_eq!(of_original.payment.as_str(), "adyen:P0");
        assert_eq!(super::references(&of_original), [""; 0], "{code}: a reference of its own");
        assert_eq!(super::event(&of_original).1.at, Timestamp::from_seconds(NOW));
    }
}

#[test]
fn what_came_to_nothing_is_ignored() {
    let meaning = |item: Value| super::meaning(Provider::Adyen, item);
    for code in ["CANCELLATION", "TECHNICAL_CANCEL", "OFFER_CLOSED", "CANCEL_OR_REFUND"] {
        assert_eq!(meaning(item(code, "false")), Meaning::Ignored("request_refused"));
        assert_eq!(super::dead(Provider::Adyen, item(code, "")).0, DeadReason::Malformed);
    }
    for code in ["REPORT_AVAILABLE", "PAYOUT_THIRDPARTY", "", "authorisation"] {
        assert_eq!(meaning(item(code, "true")), Meaning::Ignored("unsupported_topic"));
    }
    let mut either = item("CANCEL_OR_REFUND", "true");
    assert_eq!(meaning(either.clone()), Meaning::Ignored("needs_fetch"));
    for (action, kind) in [("cancel", Kind::Cancelled), ("refund", Kind::Refunded)] {
        either["additionalData"] = json!({"modification.action": action});
        assert_eq!(super::told(Provider::Adyen, &either).0, kind);
    }
    let mut nameless = item("CAPTURE", "true");
    nameless["pspReference"] = json!("");
    nameless["originalReference"] = json!("P0");
    let (reason, detail) = super::dead(Provider::Adyen, nameless);
    assert_eq!((reason, &*detail), (DeadReason::Malformed, "pspReference: missing or unusable"));
}
