"""AWS on this machine: ministack with its gaps got round, policies enforced, over TLS, with an issuer of tokens. It
notes what every role asks for, and fails what it is told to fail. It ends when its standard input does.

usage: emulator.py FOLDER PORT PLAIN_PORT STORAGE_PORT

AWS's services answer on PORT over TLS, and on PLAIN_PORT without, for the test itself. What PLAIN_PORT is asked for below
STORAGE it hands on to Azurite on STORAGE_PORT, but for what it is told to hold.
"""

import asyncio
import http.client
import json
import os
import sys
import threading
from pathlib import Path
from urllib.parse import parse_qs

import certificates

FOLDER = Path(sys.argv[1])
PORT, PLAIN_PORT, STORAGE_PORT = (int(port) for port in sys.argv[2:5])
REGION, ACCOUNT = "eu-west-1", "123456789012"
STORAGE = "/devstoreaccount1/"
TLS = FOLDER / "tls"
# Functions inherit it: they trust the certificate by it, and may write into the storage of this machine.
os.environ |= {
    "GATEWAY_PORT": str(PORT),
    "AUTH": "true",
    "IOT_MTLS_ENABLED": "0",
    "MINISTACK_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "MINISTACK_ACCOUNT_ID": ACCOUNT,
    "AWS_ENDPOINT_URL": f"https://localhost:{PORT}",
    "SSL_CERT_FILE": str(TLS / "ca.crt"),
    "TMPDIR": str(FOLDER / "tmp"),
    "EXTRA_BLOB_ENDPOINTS": ",".join(f"http://127.0.0.1:{port}{STORAGE[:-1]}" for port in (STORAGE_PORT, PLAIN_PORT)),
}

import botocore.session
import gaps
from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack import app as ministack
from ministack.core import iam_evaluator
from ministack.core.lambda_runtime import execution_credentials

# What fails with a 500: pairs of a function's role and an operation.
faults: set[tuple[str, str]] = set()
# Containers whose blobs storage does not let anybody commit.
held: set[str] = set()


def note(calls) -> None:
    """Writes down what every role asks for, and whether it was let."""
    enforce = iam_evaluator.enforce

    def noted(access_key, action, service, region, resource_arn="*", service_context=None):
        denied = enforce(access_key, action, service, region, resource_arn=resource_arn, service_context=service_context)
        if role := role_of(access_key):
            call = {"role": role, "action": action, "resource": resource_arn, "context": service_context or {}}
            calls.write(json.dumps(call | {"denied": bool(denied)}) + "\n")
            calls.flush()
        return denied

    iam_evaluator.enforce = noted


def role_of(access_key: str) -> str | None:
    """The role whose session a key is of."""
    principal = iam_evaluator.resolve_principal(access_key or "", ACCOUNT)
    arn = getattr(principal, "arn", "").split("/")
    return arn[1] if arn[0].endswith(":assumed-role") else None


def credentials(role: str) -> dict[str, str]:
    """Those that a service has when it works by a role."""
    name = role.rsplit("/", 1)[-1][:64]
    arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
    return execution_credentials({"FunctionArn": arn, "FunctionName": name, "Role": f"arn:aws:iam::{ACCOUNT}:role/{role}"})


clients: dict = {}


def call(asked: dict) -> dict:
    """Calls AWS for the test: as its owner, or by a role."""
    key = asked["service"], asked.get("role")
    if key not in clients:
        given = credentials(key[1]) if key[1] else {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        named = {name.lower(): value for name, value in given.items()}
        client = botocore.session.get_session().create_client(
            key[0], REGION, endpoint_url=f"https://localhost:{PORT}", verify=str(TLS / "ca.crt"), **named)
        clients[key] = client
    parameters = asked["parameters"]
    if isinstance(parameters.get("Body"), dict):
        parameters["Body"] = Path(parameters["Body"]["file"]).read_bytes()
    answer = getattr(clients[key], asked["operation"])(**parameters)
    answer.pop("ResponseMetadata")
    for name in ("Body", "Payload"):
        if name in answer:
            answer[name] = answer[name].read().decode()
    return answer


def storage(method: str, target: str, headers: list, body: bytes) -> tuple[int, list, bytes]:
    """What Azurite answers, or that a signature is refused."""
    path, _, query = target.partition("?")
    if path.split("/")[2] in held and parse_qs(query).get("comp") == ["blocklist"]:
        said = b"<?xml version='1.0'?><Error><Code>AuthenticationFailed</Code></Error>"
        return 403, [(b"x-ms-error-code", b"AuthenticationFailed")], said
    azurite = http.client.HTTPConnection("127.0.0.1", STORAGE_PORT)
    azurite.request(method, target, body, {name.decode(): value.decode() for name, value in headers})
    answer = azurite.getresponse()
    kept = [(name.encode(), value.encode()) for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP]
    return answer.status, kept, answer.read()


HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length"}


def fails(scope: dict) -> bool:
    """Whether a request of AWS is one that is to fail."""
    headers = dict(scope["headers"])
    operation = headers.get(b"x-amz-target", b"").decode().rpartition(".")[2]
    key = headers.get(b"authorization", b"").decode().partition("Credential=")[2].partition("/")[0]
    return (role_of(key), operation) in faults


async def answer(path: str, body: bytes) -> bytes | None:
    """What the test asks of the emulator itself."""
    if path.startswith("/issuer/"):
        return (FOLDER / path[1:]).read_bytes()
    said = json.loads(body or b"{}")
    if path == "/_stack/gaps":
        return json.dumps(gaps.GAPS).encode()
    if path == "/_stack/credentials":
        return json.dumps(credentials(said["role"])).encode()
    if path == "/_stack/call":
        try:
            return json.dumps(await asyncio.to_thread(call, said), default=str).encode()
        except Exception as error:
            return json.dumps({"error": f"{said['operation']}: {error}"}).encode()
    if path == "/_stack/faults":
        faults.clear()
        faults.update((one["role"], one["operation"]) for one in said)
    if path == "/_stack/held":
        held.clear()
        held.update(said)
    return b"{}"


async def read(receive) -> bytes:
    body, more = b"", True
    while more:
        part = await receive()
        body, more = body + part.get("body", b""), part.get("more_body", False)
    return body


async def app(scope, receive, send):
    if scope["type"] != "http":
        return await ministack.app(scope, receive, send)
    path = scope["path"]
    if path.startswith(STORAGE):
        target = scope["raw_path"].decode() + "?" + scope["query_string"].decode()
        status, headers, said = await asyncio.to_thread(storage, scope["method"], target, scope["headers"], await read(receive))
    elif path.startswith(("/_stack/", "/issuer/")):
        status, headers, said = 200, [], await answer(path, await read(receive))
    elif faults and fails(scope):
        await read(receive)
        status, headers, said = 500, [], b'{"__type": "InternalFailure"}'
    else:
        return await ministack.app(scope, receive, send)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": said})


def main() -> None:
    (FOLDER / "tmp").mkdir()
    certificates.write(TLS)
    gaps.get_round()
    note((FOLDER / "calls.jsonl").open("a"))
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    config = Config()
    config.bind, config.insecure_bind = [f"127.0.0.1:{PORT}"], [f"127.0.0.1:{PLAIN_PORT}"]
    config.certfile, config.keyfile = str(TLS / "server.crt"), str(TLS / "server.key")
    asyncio.run(serve(app, config))


if __name__ == "__main__":
    main()
