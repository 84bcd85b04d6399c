//! A folder within a container, as a URL names it.

use azure_core::http::Url;
use percent_encoding::percent_decode_str;

/// Behind the account in the hosts of Azure's blob endpoints. Those of emulators have the account in
/// the path instead
/// (<https://learn.microsoft.com/en-us/azure/storage/common/storage-use-azurite#http-connection-strings>).
const BLOB_HOST: &str = ".blob.";

/// A URL without a slash at its end, that of its container, and the folder between the two, decoded
/// and with a slash at its end; it is empty when there is none. `None` when the URL has no path.
pub(super) fn split(url: &Url) -> Option<(Url, Url, String)> {
    let (mut whole, mut container) = (url.clone(), url.clone());
    whole.path_segments_mut().ok()?.pop_if_empty();
    let is_in_path = !whole.host_str()?.contains(BLOB_HOST);
    let of_container = 1 + usize::from(is_in_path);
    let segments = || whole.path_segments().into_iter().flatten();
    let mut folder = String::new();
    for segment in segments().skip(of_container) {
        folder.push_str(&percent_decode_str(segment).decode_utf8_lossy());
        folder.push('/');
    }
    let path: Vec<&str> = segments().take(of_container).collect();
    container.set_path(&path.join("/"));
    Some((whole, container, folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_what_stands_between_container_and_signature() {
        let azure = "https://account1.blob.core.windows.net/exports";
        let emulator = "http://127.0.0.1:10000/devstoreaccount1/exports";
        for place in [azure, emulator] {
            for (given, whole, folder) in [
                ("", "", ""),
                ("/", "", ""),
                ("/a", "/a", "a/"),
                ("/a/b%20c/", "/a/b%20c", "a/b c/"),
            ] {
                let url = Url::parse(&format!("{place}{given}?sv=1&sig=x")).unwrap();
                let (found, container, name) = split(&url).unwrap();
                assert_eq!(found.as_str(), format!("{place}{whole}?sv=1&sig=x"));
                assert_eq!(container.as_str(), format!("{place}?sv=1&sig=x"));
                assert_eq!(name, folder, "{place}{given}");
            }
        }
    }
}
