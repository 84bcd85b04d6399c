//! A manifest, as it is read back.

use domain::manifest::Manifest;

/// What can be read is, written anew, read as the same.
pub fn manifest(input: &[u8]) -> bool {
    let Ok(manifest) = serde_json::from_slice::<Manifest>(input) else {
        return false;
    };
    let text = serde_json::to_vec(&manifest).expect("a manifest is JSON");
    let again: Manifest =
        serde_json::from_slice(&text).expect("a manifest that was written is read");
    assert_eq!(again, manifest);
    true
}
