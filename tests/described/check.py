"""Holds the service of one machine to its own description of the API: Schemathesis makes requests of it, good and bad.

usage: check.py LOCAL, the program that serves.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.request import urlopen

HERE = Path(__file__).parent
SEED = 20_260_101


def greeting(serving: subprocess.Popen) -> dict[str, str]:
    """What the service says of itself at its start: address, token, URL of a container."""
    said = {}
    for line in serving.stdout:
        if match := re.match(r"(API|TOKEN|CONTAINER_URL)='(.*)'$", line.strip()):
            said[match[1]] = match[2]
        if line.startswith("Ctrl-C"):
            return said
    raise SystemExit("the service ended at its start")


def description(said: dict[str, str]) -> dict:
    """The description, with the URL of a container that takes files: no schema says what a signature is."""
    with urlopen(f"{said['API']}/openapi.json") as answer:
        whole = json.load(answer)
    whole["components"]["schemas"]["ContainerUrl"] = {"type": "string", "const": said["CONTAINER_URL"]}
    return whole


def main(local: str) -> int:
    with tempfile.TemporaryDirectory() as folder:
        state, described = Path(folder, "state"), Path(folder, "openapi.json")
        serve = [local, "serve", "--state", str(state), "--port", "0", "--issuer-port", "0", "--blob-port", "0"]
        with subprocess.Popen(serve, stdout=subprocess.PIPE, text=True) as serving:
            try:
                said = greeting(serving)
                described.write_text(json.dumps(description(said)))
                run = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(HERE / "schemathesis.toml"), "run", str(described)]
                run += ["--url", said["API"], "--header", f"Authorization: Bearer {said['TOKEN']}"]
                run += ["--seed", str(SEED), "--generation-database", "none"]
                return subprocess.run(run, cwd=folder).returncode
            finally:
                serving.terminate()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    sys.exit(main(sys.argv[1]))
