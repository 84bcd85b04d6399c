//! Tells the crate which crates are ours: `telemetry` gives their logs the level that is asked for,
//! and no other's.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo runs this in the package's folder
    // (<https://doc.rust-lang.org/cargo/reference/build-scripts.html#inputs-to-the-build-script>).
    let workspace = Path::new("../..");
    let mut names = Vec::new();
    for folder in members(workspace)? {
        let manifest = folder.join("Cargo.toml");
        println!("cargo::rerun-if-changed={}", manifest.display());
        let text = fs::read_to_string(&manifest)?;
        let name = text
            .lines()
            .find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
        names.push(
            name.ok_or_else(|| format!("{} names no package", manifest.display()))?
                .replace('-', "_"),
        );
    }
    println!("cargo::rustc-env=WORKSPACE_CRATES={}", names.join(","));
    Ok(())
}

/// The folders of the workspace's members. A new one is in the lock file, so that this runs again.
fn members(workspace: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let manifest = workspace.join("Cargo.toml");
    for file in [&manifest, &workspace.join("Cargo.lock")] {
        println!("cargo::rerun-if-changed={}", file.display());
    }
    let text = fs::read_to_string(manifest)?;
    let listed = text
        .lines()
        .find_map(|line| line.strip_prefix("members = [")?.strip_suffix(']'));
    let listed = listed.ok_or("the workspace's manifest has no line of members")?;
    let mut folders = Vec::new();
    for member in listed
        .split(',')
        .map(|member| member.trim().trim_matches('"'))
    {
        match member.strip_suffix("/*") {
            None => folders.push(workspace.join(member)),
            Some(parent) => folders.extend(crates_in(&workspace.join(parent))?),
        }
    }
    Ok(folders)
}

fn crates_in(parent: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut crates = Vec::new();
    for entry in fs::read_dir(parent)? {
        let folder = entry?.path();
        if folder.join("Cargo.toml").exists() {
            crates.push(folder);
        }
    }
    crates.sort();
    Ok(crates)
}
