//! What a manifest says: contradictions within it, names, places, warnings.

use super::*;

#[tokio::test]
async fn a_manifest_that_contradicts_itself_is_wrong() {
    let changed = async |change: fn(&mut Value)| {
        let mut downloaded = Downloaded::new();
        change(&mut downloaded.manifest);
        downloaded.only_fault().await
    };
    let twice = |what: &str| format!("the manifest lists {what} twice");
    assert_eq!(
        changed(|m| m["totals"]["rows"] = 4.into()).await,
        "totals: the manifest says 4 rows, found 3"
    );
    assert_eq!(
        changed(|m| m["totals"]["bytes"] = 4.into()).await,
        "totals: the manifest says 4 bytes, found 171"
    );
    assert_eq!(
        changed(|m| m["totals"]["chunks"] = 1.into()).await,
        "totals: the manifest says 1 chunk, found 2"
    );
    assert_eq!(
        changed(|m| m["files"][1]["chunk"] = 0.into()).await,
        twice("chunk 0")
    );
    assert_eq!(
        changed(|m| m["files"][1]["sources"][0]["object"] = "o0".into()).await,
        twice("the object o0")
    );
    let complete = changed(|m| {
        m["totals"]["chunks"] = 3.into();
        m["missing"] = json!([{"chunk": 2, "reason": "gone", "sources": []}]);
    });
    assert_eq!(
        complete.await,
        "the manifest says complete, and lists 1 missing part"
    );
}

/// A change of a manifest of version 2, which has a third chunk without rows.
async fn changed_v2(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let mut downloaded = Downloaded::new();
    let manifest = &mut downloaded.manifest;
    manifest["manifestVersion"] = 2.into();
    manifest["totals"]["chunks"] = 3.into();
    manifest["totals"]["recordsRejected"] = 0.into();
    manifest["totals"]["recordsRead"] = 3.into();
    manifest["totals"]
        .as_object_mut()
        .unwrap()
        .remove("badRecordsSkipped");
    manifest["withoutRows"] = json!([{"chunk": 2, "day": "2026-01-05", "sources": []}]);
    change(manifest);
    downloaded.verify().await.0
}

#[tokio::test]
async fn every_chunk_that_was_planned_is_accounted_for() {
    assert_eq!(changed_v2(|_| {}).await, Vec::<String>::new());
    let unlisted = ["the manifest says nothing of 1 chunk".to_owned()];
    let without = changed_v2(|m| m["withoutRows"] = json!([]));
    assert_eq!(without.await, unlisted);
    let another = changed_v2(|m| m["withoutRows"][0]["chunk"] = 7.into());
    assert_eq!(another.await, unlisted);
    let again = changed_v2(|m| m["withoutRows"][0]["chunk"] = 1.into());
    let twice = "the manifest lists chunk 1 twice".to_owned();
    assert_eq!(again.await, [twice, unlisted[0].clone()]);
}

#[tokio::test]
async fn an_object_is_read_once_for_a_day() {
    let same = |m: &mut Value, day: &str| {
        m["files"][1]["sources"][0]["object"] = "o0".into();
        m["files"][0]["day"] = "2026-01-05".into();
        m["files"][1]["day"] = day.into();
    };
    let other_day = changed_v2(|m| same(m, "2026-01-06"));
    assert_eq!(other_day.await, Vec::<String>::new());
    let twice = ["the manifest lists the object o0 twice"];
    assert_eq!(changed_v2(|m| same(m, "2026-01-05")).await, twice);
}

#[tokio::test]
async fn a_file_that_is_listed_twice_is_wrong() {
    let mut downloaded = Downloaded::new();
    let again = downloaded.manifest["files"][1].clone();
    downloaded.manifest["files"]
        .as_array_mut()
        .unwrap()
        .push(again);
    let (lines, verdict) = downloaded.verify().await;
    assert!(
        lines.contains(&format!("the manifest lists the file {} twice", name(1))),
        "{lines:?}"
    );
    assert_eq!(verdict.line(), "✗ the manifest contradicts itself");
}

#[tokio::test]
async fn an_incomplete_export_is_told_from_a_wrong_one() {
    let mut downloaded = Downloaded::new();
    downloaded.manifest["complete"] = false.into();
    downloaded.manifest["totals"]["chunks"] = 3.into();
    downloaded.manifest["missing"] =
        json!([{"chunk": 2, "reason": "a malformed record", "sources": []}]);
    let (lines, verdict) = downloaded.verify().await;
    assert_eq!((lines, verdict.outcome()), (vec![], Outcome::Incomplete));
    let line = "✗ 2 files, 3 rows, 171 B: exactly as the manifest says, but the export is incomplete: 1 of 3 chunks missing";
    assert_eq!(verdict.line(), line);

    downloaded.write(&name(0), "");
    assert_eq!(downloaded.verify().await.1.outcome(), Outcome::Wrong);
}

#[tokio::test]
async fn a_name_that_leads_out_of_the_folder_is_not_followed() {
    let mut downloaded = Downloaded::new();
    downloaded.write("secret.json", EVENTS[0]);
    for outside in [
        format!("Event/{JOB}/../../secret.json"),
        downloaded.path("secret.json").display().to_string(),
    ] {
        downloaded.manifest["files"][0]["name"] = outside.into();
        let (lines, verdict) = downloaded.verify().await;
        assert!(lines[0].contains("its name is no"), "{lines:?}");
        assert_eq!((verdict.wrong, verdict.rows), (1, 1));
    }

    let downloaded = Downloaded::new();
    let outside = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(outside.path(), EVENTS[0]).unwrap();
    std::fs::remove_file(downloaded.path(&name(0))).unwrap();
    std::os::unix::fs::symlink(outside.path(), downloaded.path(&name(0))).unwrap();
    let (lines, verdict) = downloaded.verify().await;
    assert_eq!(
        lines,
        [format!(
            "? {}: it is a link that leads out of the folder",
            name(0)
        )]
    );
    assert_eq!(
        (verdict.outcome(), verdict.line()),
        (
            Outcome::Unknown,
            "✗ 1 of 2 files could not be read".to_owned()
        )
    );
}

#[tokio::test]
async fn what_is_no_manifest_is_refused_in_a_line() {
    let refused = async |content: &str| {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("manifest.json"), content).unwrap();
        let error = verify_at(folder.path()).await.unwrap_err().to_string();
        assert!(!error.contains('\n'), "{error}");
        error
            .strip_prefix("the manifest cannot be used: ")
            .unwrap_or_else(|| panic!("{error}"))
            .to_owned()
    };
    let changed = |pointer: &str, value: Value| {
        let mut manifest = Downloaded::new().manifest;
        *manifest.pointer_mut(pointer).unwrap() = value;
        manifest.to_string()
    };
    assert_eq!(
        refused("").await,
        "EOF while parsing a value at line 1 column 0"
    );
    assert!(refused("<html>\n").await.starts_with("expected value"));
    assert!(
        refused("[]").await.starts_with("invalid length"),
        "{}",
        refused("[]").await
    );
    assert!(
        refused(&changed("/files/0/rows", (-1).into()))
            .await
            .starts_with("invalid value")
    );
    assert!(
        refused(&changed("/files", json!({})))
            .await
            .contains("an array of files")
    );
    assert!(
        refused(&changed("/manifestVersion", 3.into()))
            .await
            .contains("those up to 2 are known")
    );
    assert_eq!(
        refused(&changed("/exportType", "Visit".into())).await,
        "its export type is unknown"
    );
    let mut manifest = Downloaded::new().manifest;
    manifest["compression"] = "lz4".into();
    assert_eq!(
        refused(&manifest.to_string()).await,
        "its compression is unknown"
    );
    let mut manifest = Downloaded::new().manifest;
    manifest["filter"] = json!({"to": "2026-01-12T00:00:00Z", "weekday": "Monday"});
    assert_eq!(
        refused(&manifest.to_string()).await,
        "its filter's `weekday` is unknown"
    );
    assert_eq!(
        refused(&changed("/jobId", "../..".into())).await,
        "its job id is none"
    );
    assert!(
        refused(&format!("{} x", changed("/format", "CsvBlob".into())))
            .await
            .starts_with("trailing characters")
    );
}

#[tokio::test]
async fn absurd_figures_are_only_wrong() {
    let mut downloaded = Downloaded::new();
    for number in 0..2 {
        for figure in ["rows", "bytes"] {
            downloaded.manifest["files"][number][figure] = u64::MAX.into();
        }
    }
    let (lines, verdict) = downloaded.verify().await;
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert_eq!(verdict.wrong, 2);
}

#[tokio::test]
async fn it_must_be_clear_which_files_are_meant() {
    let downloaded = Downloaded::new();
    let none = verify_at(downloaded.folder.path())
        .await
        .unwrap_err()
        .to_string();
    assert!(
        none.starts_with("there is no manifest.json in or below "),
        "{none}"
    );
    downloaded.write_manifest();
    downloaded.write(&format!("Event/{JOB}/part-00000.json"), EVENTS[0]);
    let error = verify_at(downloaded.folder.path())
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.ends_with("holds files of this export in more than one place"),
        "{error}"
    );
    downloaded.write("Event/other/manifest.json", "");
    let error = verify_at(downloaded.folder.path())
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("there are several manifests below "),
        "{error}"
    );
}

#[tokio::test]
async fn what_the_manifest_warns_of_is_told_in_a_line_each_and_is_no_fault() {
    let mut downloaded = Downloaded::new();
    assert!(told_warnings(&downloaded).await.is_empty());
    downloaded.manifest["warnings"] = json!([{"code": "ObjectsLeftOut", "message": "1 object: `a\u{1b}[2J.json`"}, {"code": "Later", "message": "b"}]);
    let expected = [
        "! ObjectsLeftOut: 1 object: `a\u{fffd}[2J.json`",
        "! Later: b",
    ];
    assert_eq!(told_warnings(&downloaded).await, expected);
    assert_eq!(downloaded.verify().await.1.outcome(), Outcome::Right);

    downloaded.manifest["warnings"] = vec![json!({"code": "c", "message": "m"}); 23].into();
    let told = told_warnings(&downloaded).await;
    assert_eq!(
        (told.len(), told[20].as_str()),
        (21, "! 3 more warnings: see the manifest")
    );
}

async fn told_warnings(downloaded: &Downloaded) -> Vec<String> {
    downloaded.write_manifest();
    let path = find_manifest(downloaded.folder.path()).unwrap();
    command::warnings(
        &Manifest::read(open_file(&path).await.unwrap())
            .await
            .unwrap(),
    )
}

#[tokio::test]
async fn a_file_that_the_manifest_says_may_be_left_is_no_stray() {
    let mut downloaded = Downloaded::new();
    let left = format!("Event/{JOB}/_rejected/part-00000.ndjson");
    downloaded.write(&left, "");
    let (_, verdict) = downloaded.verify().await;
    assert_eq!((verdict.strays, verdict.outcome()), (1, Outcome::Wrong));
    downloaded.manifest["leftovers"] = json!([left]);
    let (lines, verdict) = downloaded.verify().await;
    assert_eq!((lines, verdict.outcome()), (vec![], Outcome::Right));
}
