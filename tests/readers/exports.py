"""The exports that the service wrote: a folder of sets, each with its source."""

import gzip
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import zstandard

import source
from columns import Layout, layout


@dataclass(frozen=True)
class Export:
    """A folder as a client downloads it, and the records that it must hold."""

    set_folder: Path
    file_format: str
    compression: str

    def __str__(self) -> str:
        return f"{self.set_folder.name} as {self.file_format}, {self.compression}"

    @property
    def folder(self) -> Path:
        return self.set_folder / "files" / self.file_format / self.compression

    @cached_property
    def manifest_file(self) -> Path:
        """The export's manifest: in the folder, or, when the folder is the container, below it."""
        [file] = self.folder.rglob("manifest.json")
        return file

    @cached_property
    def manifest(self) -> dict:
        return json.loads(self.manifest_file.read_text())

    @cached_property
    def options(self) -> dict:
        """What was asked for beyond format and compression."""
        return json.loads((self.set_folder / "asked.json").read_text()).get("exportOptions", {})

    @cached_property
    def layout(self) -> Layout:
        return layout(self.manifest["exportType"], self.file_format, self.options)

    @property
    def is_grouped(self) -> bool:
        """Whether its files hold groups of rows."""
        return self.file_format == "JsonBlob" and self.layout.group is not None

    @property
    def column(self) -> str:
        """The column of the table of expectations."""
        return f"{self.file_format} grouped" if self.is_grouped else self.file_format

    @property
    def files(self) -> list[Path]:
        """The files of rows."""
        return [self.manifest_file.parent.joinpath(*Path(file["name"]).parts[2:]) for file in self.manifest["files"]]

    @cached_property
    def all_records(self) -> list[str]:
        """The source's records, those too that a filter does not want."""
        # Not `splitlines`: a record may hold what Unicode takes for the end of a line.
        return (self.set_folder / "source.ndjson").read_bytes().decode().split("\n")

    @cached_property
    def records(self) -> list[str]:
        """The records that become rows."""
        return self.wanted_by(self.options.get("filter", {}))

    def wanted_by(self, asked: dict) -> list[str]:
        """The records that a filter wants."""
        return [record for record in self.all_records if source.is_wanted(record, asked)]

    def rows(self) -> list[source.Row]:
        """What the source's records come to."""
        return [source.row(record, self.layout.columns) for record in self.records]


def text_of(file: Path) -> str:
    """What a file holds once it is expanded."""
    if file.suffix == ".zst":
        with zstandard.open(file, "rb") as expanded:
            return expanded.read().decode()
    data = file.read_bytes()
    return (gzip.decompress(data) if file.suffix == ".gz" else data).decode()


def exports(root: Path) -> list[Export]:
    """All exports that were written into a folder."""
    folders = [root / folder for folder in json.loads((root / "exports.json").read_text())]
    return [Export(folder.parents[2], folder.parent.name, folder.name) for folder in folders]
