//! A manifest, as it is read back.

use domain::manifest::{Manifest, ManifestText, Tail};

/// What can be read is, written anew, read as the same.
pub fn manifest(input: &[u8]) -> bool {
    let Ok(manifest) = serde_json::from_slice::<Manifest>(input) else {
        return false;
    };
    let text = written(&manifest);
    let again: Manifest =
        serde_json::from_slice(&text).expect("a manifest that was written is read");
    assert_eq!(again, manifest);
    assert_eq!(written(&again), text);
    true
}

fn written(manifest: &Manifest) -> Vec<u8> {
    let mut text = Vec::new();
    let mut writer = ManifestText::begin(&manifest.head, &mut text).expect("a head is JSON");
    for file in &manifest.files {
        writer.add(file, &mut text).expect("a file's entry is JSON");
    }
    let tail = Tail {
        rejected: &manifest.rejected,
        missing: &manifest.missing,
        leftovers: &manifest.leftovers,
    };
    writer
        .finish(&tail, &mut text)
        .expect("what is missing is JSON");
    text
}
