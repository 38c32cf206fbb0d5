use platforms::signature::{Claim, sign};
use secrecy::SecretString;

/// Made with `openssl dgst -sha256 -hmac` and with Python's `hmac`.
fn vectors() -> [(String, Vec<u8>, &'static str); 4] {
    let every_byte: Vec<u8> = (0..=u8::MAX).collect();
    [
        (
            "s3cr3t".into(),
            b"hello, onhand".to_vec(),
            "DKZKCRq26FnSjXwJsFCQEBCF4eSBC4+3aUHPvfsRI/k=",
        ),
        (
            "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".into(),
            Vec::new(),
            "kDlLV6OYjocf12HEODmwd6+QqGBhJ2+RLZhEw3NMbJw=",
        ),
        // A key longer than the hash's block.
        ("k".repeat(200), every_byte.repeat(8), "9lCORu4B22I0MITeu1Ma8dv0MHscFXeO0rjsAQfwK9c="),
        (
            "Schlüssel 🔑".into(),
            r#"{"a":"\/ä"}"#.into(),
            "0Kwf9feDI8oJsVDhww7xCUTsKXgZOL5NW5d/4N7waS4=",
        ),
    ]
}

fn verified(secrets: &[&str], body: &[u8], claim: &str) -> bool {
    let secrets: Vec<SecretString> = secrets.iter().map(|s| SecretString::from(*s)).collect();
    Claim::from_base64(claim).is_some_and(|claim| claim.is_by_any(&secrets, body))
}

#[test]
fn signatures_are_those_that_other_tools_make() {
    for (secret, body, expected) in vectors() {
        assert_eq!(sign(&secret, &body), expected);
        assert!(verified(&[&secret], &body, expected));
    }
}

#[test]
fn any_of_the_secrets_may_have_signed() {
    let claim = sign("old", b"body");
    for secrets in [["old", "new", "newer"], ["new", "old", "newer"], ["new", "newer", "old"]] {
        assert!(verified(&secrets, b"body", &claim), "{secrets:?}");
    }
    assert!(!verified(&["new", "newer"], b"body", &claim));
    assert!(!verified(&[], b"body", &claim));
}

#[test]
fn every_changed_bit_of_body_or_signature_is_noticed() {
    let body = b"{\"id\":1}".to_vec();
    let claim = sign("secret", &body);
    for bit in 0..body.len() * 8 {
        let mut forged = body.clone();
        forged[bit / 8] ^= 1 << (bit % 8);
        assert!(!verified(&["secret"], &forged, &claim), "bit {bit}");
    }
    for place in 0..claim.len() {
        let mut forged = claim.clone().into_bytes();
        forged[place] = if forged[place] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(forged).expect("ASCII stays ASCII");
        assert!(!verified(&["secret"], &body, &forged), "{forged}");
    }
}

#[test]
fn only_the_one_standard_spelling_of_32_bytes_is_read() {
    let good = "DKZKCRq26FnSjXwJsFCQEBCF4eSBC4+3aUHPvfsRI/k=";
    assert!(verified(&["s3cr3t"], b"hello, onhand", good));
    let hex = "0ca64a091ab6e859d28d7c09b05090101085e1e4810b8fb76941cfbdfb1123f9";
    let bad = [
        String::new(),
        "=".into(),
        good.replace('=', ""),
        format!("{good}="),
        format!(" {good}"),
        format!("{good}\n"),
        format!("{good}{good}"),
        good.replace('+', "-").replace('/', "_"),
        good.replace('+', "%2B"),
        // The same 32 bytes, with stray bits behind them.
        good.replace("k=", "l="),
        // A letter that looks like K, and a minus sign that is none.
        good.replacen('K', "\u{212a}", 1),
        good.replace('+', "\u{2212}"),
        "AAAA".into(),
        format!("{}==", "A".repeat(42)),
        "A".repeat(44),
        "A".repeat(100_000),
        hex.into(),
    ];
    for claim in bad {
        assert!(Claim::from_base64(&claim).is_none(), "{claim:?}");
    }
}
