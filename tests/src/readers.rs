//! Exports for readers that share no code with the service: the source's records beside every file
//! that came of them.
//!
//! `make test-readers` has them written into a folder, and lets `tests/readers` read them back. A
//! folder for each set holds `source.ndjson`, `asked.json` (the options of its requests), and, below
//! `files/{format}/{compression}/`, an export as a client downloads it. `exports.json` lists these.

mod nasty;

use std::path::{Path, PathBuf};

use domain::container::{BlobName, ContainerAddress};
use domain::job::Job;
use domain::manifest::Manifest;
use domain::secret::Secret;
use domain::selection::{Compression, ExportFormat, ExportType};
use fakes::container::Permission;
use serde_json::{Value, json};
use time::Duration;
use time::format_description::well_known::Rfc3339;

use crate::limited::limit_files;
use crate::stories::rows::{exported_lines, gzip, zstd};
use crate::stories::types::{lake, registry};
use crate::world::deliveries::Deliveries;
use crate::world::{CONTAINER, SIGNATURE, World};

/// Some exports of one selection, and the records that each of them must hold.
struct Set {
    name: String,
    kind: ExportType,
    operation: &'static str,
    /// The body's fields beyond container, format and compression.
    asked: Value,
    lines: Vec<String>,
    world: World,
    formats: &'static [ExportFormat],
    compressions: &'static [Compression],
    /// The folder of the container that its files go to, with a slash before it.
    folder: &'static str,
    /// The most bytes of a file, less than a client may ask for.
    most_bytes: Option<u64>,
    /// The objects that are to be the files as they are stored.
    stored: Vec<Vec<u8>>,
}

/// The formats whose rows have columns.
const FLAT: &[ExportFormat] = &[
    ExportFormat::CsvBlob,
    ExportFormat::JsonLinesBlob,
    ExportFormat::ParquetBlob,
];

/// The id of something that nothing else is known of.
const ID: &str = r#""00000000000000000000000000000007""#;

/// The compression that every type is exported with.
const PLAIN: &[Compression] = &[Compression::None];

impl Set {
    /// The sample of a type that other tests compare byte for byte.
    async fn of(kind: ExportType) -> Self {
        let world = World::new().await;
        let (operation, asked, lines) = match kind {
            ExportType::Activity => of_days(&world, "activities", kind).await,
            ExportType::Event => of_days(&world, "events", kind).await,
            ExportType::Job => of_days(&world, "jobs", kind).await,
            ExportType::Error => of_days(&world, "errors", kind).await,
            ExportType::Session => of_days(&world, "sessions", kind).await,
            ExportType::Crash => of_days(&world, "crashes", kind).await,
            ExportType::Tag => ("tags", json!({}), registry::tag_lines()),
            ExportType::Token => ("tokens", json!({}), registry::token_lines()),
            ExportType::Device => ("devices", json!({}), registry::device_lines()),
            ExportType::Push => (
                "feedbackByDate",
                window(),
                registry::lines_of_active_campaigns(),
            ),
        };
        registry::fill(&world).await;
        let is_compressed = kind == ExportType::Event;
        let compressions = if is_compressed {
            Compression::ALL
        } else {
            PLAIN
        };
        let name = kind.name().to_owned();
        Self {
            name,
            kind,
            operation,
            asked,
            lines,
            world,
            formats: ExportFormat::ALL,
            compressions,
            folder: "",
            most_bytes: None,
            stored: Vec::new(),
        }
    }

    /// Activities that hold whatever a reader may stumble over, and one that is rejected.
    async fn nasty() -> Self {
        let (world, lines) = (World::new().await, nasty::lines());
        for (number, part) in lines.chunks(nasty::LINES_OF_AN_OBJECT).enumerate() {
            let (name, text) = (format!("part-{number}.ndjson"), part.join("\n"));
            world
                .put_object("activities", nasty::DAY, &name, text)
                .await;
        }
        world
            .put_object("activities", nasty::DAY, "rejected.ndjson", nasty::REJECTED)
            .await;
        Self {
            name: "nasty".to_owned(),
            kind: ExportType::Activity,
            operation: "activities",
            asked: json!({
                "startDate": nasty::DAY, "endDate": nasty::DAY, "exportOptions": {"exportDeviceId": true},
            }),
            lines,
            world,
            formats: ExportFormat::ALL,
            compressions: Compression::ALL,
            folder: "",
            most_bytes: None,
            stored: Vec::new(),
        }
    }

    /// The same with a byte order mark, and some of the columns in an order of their own.
    async fn with_byte_order_mark() -> Self {
        let mut set = Self::nasty().await;
        "byte-order-mark".clone_into(&mut set.name);
        set.asked["exportOptions"] =
            json!({"byteOrderMark": true, "columns": ["name", "extras", "sessionId", "timestamp"]});
        set.formats = &[ExportFormat::CsvBlob];
        set
    }

    /// Events, with something else asked for.
    async fn of_events(name: &str, options: Value) -> Self {
        let mut set = Self::of(ExportType::Event).await;
        name.clone_into(&mut set.name);
        set.asked["exportOptions"] = options;
        set.compressions = PLAIN;
        set
    }

    /// Those of the events that a filter wants which has every part.
    async fn filtered() -> Self {
        const SUM: &str = "=SUM(A1) <b>&amp;</b> -- '; {0} %s $(x)";
        let filter = json!({
            "names": {"in": ["", "café 😀 A", "null", SUM]},
            "deviceIds": ["ffffffff-ffff-ffff-ffff-ffffffffffff", "00000000000000000000000000000001"],
            "session": "present", "from": "2026-01-07T08:00:00Z", "to": "2026-01-07T23:00:00+01:00",
        });
        Self::of_events("filtered", json!({"filter": filter})).await
    }

    /// Some columns of flat rows, in an order of their own.
    async fn with_columns() -> Self {
        let columns = ["extras", "timestamp", "sessionId", "name"];
        let mut set = Self::of_events("columns", json!({"columns": columns})).await;
        set.formats = FLAT;
        set
    }

    /// Chunks whose rows are cut into several files.
    async fn in_parts() -> Self {
        let mut set = Self::of_events("parts", json!({})).await;
        set.compressions = &[Compression::None, Compression::Gzip];
        set.most_bytes = Some(200_000);
        set
    }

    /// Files that lie in a folder of the container, of which all is downloaded.
    async fn in_a_folder() -> Self {
        let mut set = Self::of_events("folder", json!({})).await;
        set.folder = "/team a/2026";
        let address = set.address();
        set.world.containers.create(&address);
        let signature = Secret::new(SIGNATURE);
        set.world
            .containers
            .grant(&address, &signature, Permission::Write);
        set
    }

    /// Events that lie in the lake just as they are exported, in one object a day, so that the objects'
    /// bytes are the files.
    async fn as_stored(compression: Compression) -> Self {
        let mut set = Self {
            name: format!("stored-{}", compression.name()),
            lines: Vec::new(),
            world: World::new().await,
            formats: &[ExportFormat::JsonLinesBlob],
            compressions: only(compression),
            ..Self::of(ExportType::Event).await
        };
        for (day, numbers) in [("2026-01-05", 0..200), ("2026-01-07", 200..300)] {
            // pandas cannot know the type of a column that no row has.
            let text = exported_lines(day, numbers)
                .replace(r#""sessionId":"#, &format!(r#""infoId":{ID},"sessionId":"#));
            let text = text.replace(r#","extras""#, &format!(r#","locationId":{ID},"extras""#));
            let object = compressed(compression, &text);
            set.world
                .put_object(set.operation, day, "part", object.clone())
                .await;
            set.lines.extend(text.lines().map(str::to_owned));
            set.stored.push(object);
        }
        set
    }

    /// Where the files go to.
    fn address(&self) -> ContainerAddress {
        let folder = self.folder.replace(' ', "%20");
        ContainerAddress::new(format!("{CONTAINER}{folder}"))
    }

    /// Exports everything, below a folder when there is one; the folders of the exports within it.
    async fn export(&self, into: Option<&Path>) -> Vec<String> {
        if let Some(into) = into {
            let folder = into.join(&self.name);
            write(
                &folder.join("source.ndjson"),
                self.lines.join("\n").as_bytes(),
            );
            write(
                &folder.join("asked.json"),
                self.asked.to_string().as_bytes(),
            );
        }
        let mut folders = Vec::new();
        for &format in self.formats {
            let compressions = format.compressions().iter();
            for &compression in compressions.filter(|it| self.compressions.contains(it)) {
                let (format_name, compression_name) = (format.name(), compression.name());
                let folder = format!("{}/files/{format_name}/{compression_name}", self.name);
                let job = self.exported(format, compression).await;
                if let Some(into) = into {
                    self.download(&job, &into.join(&folder));
                }
                folders.push(folder);
            }
        }
        folders
    }

    async fn exported(&self, format: ExportFormat, compression: Compression) -> Job {
        let mut body = self.asked.clone();
        body["containerUrl"] = json!(format!("{CONTAINER}{}?{SIGNATURE}", self.folder));
        body["exportFormat"] = json!(format.name());
        body["exportOptions"]["compression"] = json!(compression.name());
        // The world's client sends one request id for ever: it must be forgotten first.
        self.world.clock.advance(Duration::hours(25));
        let key = self.world.post(self.operation, &body).await;
        if let Some(most_bytes) = self.most_bytes {
            limit_files(&self.world, &key, most_bytes).await;
        }
        let deliveries = Deliveries::of_job_alone(&key);
        let job = self.world.drive_on(&key, deliveries).await;
        let name = BlobName::manifest(self.kind, job.key.id);
        let manifest = self.world.containers.read(&self.address(), &name).unwrap();
        let manifest: Manifest = serde_json::from_slice(&manifest.data).unwrap();
        let (counts, lines) = (manifest.head.totals.counts, self.lines.len());
        let told = (counts.rows + counts.excluded, counts.excluded > 0);
        let is_filtered = self.asked["exportOptions"]["filter"].is_object();
        let expected = (u64::try_from(lines).unwrap(), is_filtered);
        assert_eq!(told, expected, "{}: {format:?}", self.name);
        if !self.stored.is_empty() {
            assert!(self.world.files(&job) == self.stored, "{}", self.name);
        }
        job
    }

    /// Writes every file of an export.
    fn download(&self, job: &Job, folder: &Path) {
        let prefix = format!("{}/{}/", self.kind, job.key.id);
        let address = self.address();
        for name in self.world.containers.list(&address) {
            let Some(below) = name.strip_prefix(&prefix) else {
                continue;
            };
            let below = match self.folder {
                "" => below.to_owned(),
                above => format!("{}/{name}", above.trim_start_matches('/')),
            };
            let blob = BlobName::from_stored(&name);
            let blob = self.world.containers.read(&address, &blob);
            write(&folder.join(below), &blob.unwrap().data);
        }
    }
}

fn only(compression: Compression) -> &'static [Compression] {
    let is_it = |it: &Compression| *it == compression;
    let place = Compression::ALL.iter().position(is_it).unwrap();
    &Compression::ALL[place..=place]
}

fn compressed(compression: Compression, text: &str) -> Vec<u8> {
    match compression {
        Compression::None => text.as_bytes().to_vec(),
        Compression::Gzip => gzip(text),
        Compression::Zstd => zstd(text),
    }
}

async fn of_days(
    world: &World,
    operation: &'static str,
    kind: ExportType,
) -> (&'static str, Value, Vec<String>) {
    let objects = lake::objects(kind).await;
    lake::fill(world, operation, &objects).await;
    let lines = objects
        .into_iter()
        .flat_map(|object| object.lines)
        .collect();
    (
        operation,
        json!({"startDate": "2026-01-04", "endDate": "2026-01-08"}),
        lines,
    )
}

fn window() -> Value {
    let [start, end] = registry::WINDOW.map(|moment| moment.format(&Rfc3339).unwrap());
    json!({
        "campaignType": "Poll", "campaignWindowStart": start, "campaignWindowEnd": end,
        "exportOptions": {"exportUserId": true},
    })
}

fn write(path: &Path, data: &[u8]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, data).unwrap();
}

/// The folder that is asked for by `into=…`, emptied.
fn asked_folder() -> Option<PathBuf> {
    let folder = std::env::args().find_map(|it| it.strip_prefix("into=").map(PathBuf::from))?;
    if folder.exists() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
    Some(folder)
}

#[tokio::test]
async fn every_record_of_the_sets_for_the_readers_is_a_row_in_every_format() {
    let into = asked_folder();
    let mut folders = Vec::new();
    for &kind in ExportType::ALL {
        folders.extend(Set::of(kind).await.export(into.as_deref()).await);
    }
    for set in [
        Set::nasty().await,
        Set::with_byte_order_mark().await,
        Set::filtered().await,
        Set::with_columns().await,
        Set::in_parts().await,
        Set::in_a_folder().await,
        Set::as_stored(Compression::Gzip).await,
        Set::as_stored(Compression::Zstd).await,
    ] {
        folders.extend(set.export(into.as_deref()).await);
    }
    if let Some(into) = into {
        write(
            &into.join("exports.json"),
            json!(folders).to_string().as_bytes(),
        );
    }
}
