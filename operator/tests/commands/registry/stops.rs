//! Loads that stop before their end, and those that go on there.

use super::*;

/// Starts a load, and kills it when it says for the first time how far it is.
async fn load_amid_which_it_is_killed(desk: &Desk, line: &[&str], file: &str) -> u64 {
    let slowly = [line, &["--rate", "500"]].concat();
    let mut child = desk.command(&slowly).spawn().unwrap();
    let progress = format!("{file}.progress");
    let kept = loop {
        if let Ok(kept) = std::fs::read(&progress) {
            break kept;
        }
        assert!(child.try_wait().unwrap().is_none(), "it has ended");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    };
    child.kill().await.unwrap();
    drop(kept);
    let kept = std::fs::read(&progress).unwrap();
    let kept: Value = serde_json::from_slice(&kept).unwrap();
    kept["done"]["records"].as_u64().unwrap()
}

#[tokio::test]
async fn a_load_that_stops_goes_on_where_it_stopped() {
    let desk = Desk::new().await;
    let file = desk.file("devices.gz", gzip(&devices(0..10_000)));
    let line = [&LOAD[..], &[&file]].concat();
    let before = load_amid_which_it_is_killed(&desk, &line, &file).await;
    let said = desk.run(&line).await.ends(0);
    let goes_on = format!(
        "goes on behind {}",
        client::console::counted(before, "record")
    );
    assert!(said.stderr.contains(&goes_on), "{goes_on}: {}", said.stderr);
    let (all, now) = ("10,000 records, 10,000 items written; ", 10_000 - before);
    let now = client::console::counted(now, "item");
    let all =
        format!("{all}{now} of these now, the others by an earlier run (--anew loads all again)\n");
    assert!(said.stdout.ends_with(&all), "{}", said.stdout);
    assert!(!std::path::Path::new(&format!("{file}.progress")).exists());
    assert_eq!(
        exported(&desk, Snapshot::Devices(DeviceType::Tag))
            .await
            .len(),
        10_000
    );
    // Another version is another file.
    load_amid_which_it_is_killed(&desk, &line, &file).await;
    std::fs::write(&file, gzip(&devices(0..3))).unwrap();
    let said = desk.run(&line).await.ends(0);
    assert!(
        !said.stderr.contains("goes on") && said.stdout.contains("3 items written"),
        "{}{}",
        said.stderr,
        said.stdout
    );
}

#[tokio::test]
async fn a_load_that_stops_says_of_each_file_how_far_it_is_and_keeps_nothing_of_what_is_damaged() {
    let desk = Desk::new().await;
    let mut damaged = gzip(&devices(0..10_000));
    damaged.truncate(damaged.len() - 9);
    let (first, second) = (
        desk.file("first", devices(0..3)),
        desk.file("second.gz", &damaged),
    );
    let third = desk.file("third", devices(0..1));
    let line = [&LOAD[..], &[&first, &second, &third]].concat();
    let said = desk.run(&line).await.ends(2);
    let lines: Vec<&str> = said.stdout.lines().collect();
    assert_eq!(lines[0], format!("✓ {first}: 3 records, 3 items written"));
    assert!(
        lines[1].starts_with(&format!("✗ {second}: stopped behind ")),
        "{}",
        lines[1]
    );
    assert_eq!(lines.len(), 2, "{}", said.stdout);
    assert!(
        said.stderr.contains("load a whole copy of the file"),
        "{}",
        said.stderr
    );
    let kept = exported(&desk, Snapshot::Devices(DeviceType::Tag))
        .await
        .len();
    assert!(
        lines[1].ends_with(&format!(
            "{} written",
            client::console::counted(kept as u64, "item")
        )),
        "{}",
        lines[1]
    );
    // The first need not be loaded again; the second can never be loaded to its end.
    let progress = |file: &str| std::path::Path::new(&format!("{file}.progress")).exists();
    assert_eq!(
        [&first, &second, &third].map(|file| progress(file)),
        [true, false, false]
    );
    let said = desk
        .run(&[&line[..], &["--json"]].concat())
        .await
        .ends(2)
        .json();
    let whole = said["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| &file["whole"]);
    assert_eq!(whole.collect::<Vec<_>>(), [true, false]);
    assert_eq!(
        (&said["files"][0]["written"], &said["exitCode"]),
        (&3.into(), &2.into())
    );
    assert!(
        said["error"]["message"]
            .as_str()
            .unwrap()
            .contains("second.gz"),
        "{said}"
    );
}

#[tokio::test]
async fn rejects_are_kept_once_however_a_run_ended() {
    let desk = Desk::new().await;
    let first = desk.file("first.ndjson", format!("wrong\n{}", devices(0..1)));
    let second = desk.file(
        "second.gz",
        gzip(&format!("broken\n{}", devices(0..10_000))),
    );
    let rejects = desk.file("rejects", "of another day\n");
    let load = [&LOAD[..], &["--rejects", &rejects, &first, &second]].concat();
    load_amid_which_it_is_killed(&desk, &load, &second).await;
    let kept = std::fs::read_to_string(&rejects).unwrap();
    assert_eq!(kept.lines().count(), 2, "{kept}");
    // A run that was killed has written more of them than it says that it has dealt with.
    std::fs::write(&rejects, format!("{kept}{{\"record\":\"beyond")).unwrap();
    desk.run(&load).await.ends(3).says("goes on behind");
    assert_eq!(std::fs::read_to_string(&rejects).unwrap(), kept);
}

#[tokio::test]
async fn what_an_earlier_run_did_is_not_said_to_be_done_now() {
    let desk = Desk::new().await;
    let file = desk.file("devices", format!("wrong\n{}", devices(0..3)));
    let mut damaged = gzip(&devices(0..3));
    damaged.truncate(damaged.len() - 9);
    let damaged = desk.file("damaged.gz", damaged);
    desk.run(&[&LOAD[..], &[&file, &damaged]].concat())
        .await
        .ends(2);
    // Somebody changes it, and loads the file again to repair that.
    let other = desk.file("other", devices(0..1).replace("gold", "silver"));
    desk.run(&[&LOAD[..], &[&other]].concat()).await.ends(0);
    let rejects = desk.file("rejects", "");
    let again = [&LOAD[..], &["--quiet", "--rejects", &rejects, &file]].concat();
    let said = desk.run(&again).await.ends(3);
    let line = "4 records, 3 items written, 1 left out; 0 items of these now, the others by an earlier run \
                (--anew loads all again)\n";
    assert!(said.stdout.ends_with(line), "{}", said.stdout);
    assert!(
        said.stderr
            .contains("lacks some of what the earlier run left out, 1 record in all"),
        "{}",
        said.stderr
    );
    // It had come to its end: this run begins anew.
    let said = desk.run(&[&LOAD[..], &["--json", &file]].concat()).await;
    assert_eq!(said.ends(3).json()["files"][0]["writtenNow"], 3);
}
