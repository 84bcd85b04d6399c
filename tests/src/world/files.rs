//! What is in the container, checked against the manifest.

use domain::container::{BlobName, ContainerAddress};
use domain::job::Job;
use domain::manifest::Manifest;
use serde_json::Value;

use super::{CONTAINER, World};

impl World {
    /// The manifest, if the container has one.
    pub(crate) fn manifest(&self, job: &Job) -> Option<Manifest> {
        let name = BlobName::manifest(job.request.export_type(), job.key.id);
        let blob = self
            .containers
            .read(&ContainerAddress::new(CONTAINER), &name)?;
        Some(serde_json::from_slice(&blob.data).unwrap())
    }

    /// The bytes of every file of rows that the manifest lists, checked against it; no other file of
    /// the job may be there.
    pub(crate) fn files(&self, job: &Job) -> Vec<Vec<u8>> {
        let address = ContainerAddress::new(CONTAINER);
        let manifest = self.manifest(job).unwrap();
        let mut listed: Vec<String> = manifest
            .files
            .iter()
            .map(|file| file.name.clone())
            .collect();
        listed.extend(manifest.rejected.iter().map(|file| file.name.clone()));
        // Version 1 wrote none.
        if let Some(schema) = &manifest.head.schema {
            self.data(&schema.name, schema.bytes, &schema.sha256);
            listed.push(schema.name.clone());
        }
        listed.push(
            BlobName::manifest(job.request.export_type(), job.key.id)
                .as_str()
                .to_owned(),
        );
        listed.sort_unstable();
        let mut there = self.containers.list(&address);
        let prefix = format!("{}/{}/", job.request.export_type(), job.key.id);
        there.retain(|name| name.starts_with(&prefix));
        assert_eq!(there, listed, "files and manifest");
        let files = manifest.files.iter();
        files
            .map(|file| self.data(&file.name, file.counts.bytes, &file.sha256))
            .collect()
    }

    /// What the files of rejects hold, line by line, each checked against the manifest.
    pub(crate) fn rejects(&self, job: &Job) -> Vec<Value> {
        let manifest = self.manifest(job).unwrap();
        let mut rejects = Vec::new();
        for file in &manifest.rejected {
            let data = self.data(&file.name, file.bytes, &file.sha256);
            let lines = String::from_utf8(data).unwrap();
            let lines = lines
                .lines()
                .map(|line| serde_json::from_str(line).unwrap());
            let before = rejects.len() as u64;
            rejects.extend(lines);
            assert_eq!(rejects.len() as u64 - before, file.records_rejected);
        }
        assert_eq!(rejects.len() as u64, manifest.head.totals.counts.rejected);
        rejects
    }

    /// The bytes of a blob that has this size and checksum.
    fn data(&self, name: &str, bytes: u64, sha256: &str) -> Vec<u8> {
        let address = ContainerAddress::new(CONTAINER);
        let blob = self.containers.read(&address, &BlobName::from_stored(name));
        let data = blob.unwrap().data;
        assert_eq!(data.len() as u64, bytes, "{name}");
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &data);
        assert_eq!(hex::encode(digest), sha256, "{name}");
        data
    }
}
