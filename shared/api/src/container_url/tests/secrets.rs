//! Whatever the URL is, no refusal shows its signature, and no check panics.

use proptest::prelude::{Strategy, any, prop_assert, prop_oneof, proptest};

use super::*;

/// Everywhere a signature could end up by a slip of the hand.
fn misplaced(sig: &str) -> impl Strategy<Value = String> + use<> {
    let sig = sig.to_owned();
    prop_oneof![
        any::<String>().prop_map({
            let sig = sig.clone();
            move |noise| format!("{noise}sig={sig}")
        }),
        "[a-z]{0,9}".prop_map({
            let sig = sig.clone();
            move |name| format!("{PLACE}?{SAS}&{name}={sig}")
        }),
        "(se|st|sp|sr|ss|srt|spr|sv|ske)".prop_map({
            let sig = sig.clone();
            move |name| sas_with(&name, Some(&sig))
        }),
        "[a-z/%?=]{0,9}".prop_map({
            let sig = sig.clone();
            move |path| format!("https://account1.blob.core.windows.net/{path}{sig}")
        }),
        "[a-z:@]{0,9}".prop_map({
            let sig = sig.clone();
            move |host| format!("https://{host}{sig}/exports?{SAS}")
        }),
        "[a-z+]{0,9}".prop_map({
            let sig = sig.clone();
            move |scheme| format!("{scheme}{sig}://host/exports?{SAS}")
        }),
        "[a-z]{0,9}".prop_map(move |name| format!("{PLACE}?{name}{sig}=1&{name}{sig}=2&{SAS}")),
    ]
}

proptest! {
    #[test]
    fn no_problem_tells_the_signature(
        (sig, url) in "[A-Za-z0-9+/]{43}=?".prop_flat_map(|sig| {
            let url = misplaced(&sig);
            (proptest::strategy::Just(sig), url)
        }),
    ) {
        if let Err(problem) = check(&url) {
            let text = format!("{problem} {problem:?}").to_lowercase();
            prop_assert!(!text.contains(&sig.get(..20).unwrap_or_default().to_lowercase()), "{text}");
            prop_assert!(!text.contains("secretsecret"), "{text}");
        }
    }

    #[test]
    fn no_text_makes_the_check_panic(text in any::<String>(), query in any::<String>()) {
        drop(check(&text));
        drop(check(&format!("{PLACE}?{query}")));
        drop(check(&format!("{PLACE}?{SAS}&{query}")));
    }

    #[test]
    fn no_time_makes_the_check_panic(time in "[0-9TZ:.+-]{0,30}") {
        drop(with("se", &time));
    }
}

#[test]
fn what_may_be_a_signature_in_place_of_host_or_container_is_not_named() {
    let signature = "0aA".repeat(15);
    let cut_at_a_slash = "a0aa0a0jcwxhhcvn86fjxk";
    for place in [
        format!("{signature}/exports"),
        format!("{cut_at_a_slash}/{cut_at_a_slash}"),
        format!("{signature}.example.com/exports"),
        format!("account1.blob.core.windows.net/{signature}"),
        format!("account1.blob.core.windows.net/exports/{signature}"),
        format!("account1.blob.core.windows.net/exports/{cut_at_a_slash}/{cut_at_a_slash}."),
    ] {
        let message = message_of(&format!("https://{place}?{SAS}"));
        assert!(message.contains("(not shown)"), "{message}");
    }
}
