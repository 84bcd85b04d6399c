"""The command `aws`, as far as docs/OPERATIONS.md uses it: its lines are read by the descriptions of AWS's own services
(botocore, of which AWS's command is built, too), and sent to whatever AWS_ENDPOINT_URL names. With AWS_ONLY_CHECKED they are
checked and not sent, and the answer is something.
"""

import datetime
import json
import os
import sys

import botocore.session
import jmespath
from botocore import xform_name
from botocore.validate import ParamValidator

# What AWS's command adds to the operations of the services, with the options of each.
ADDED = {("logs", "tail"): {"since"}}
# Options that are called otherwise there (https://docs.aws.amazon.com/cli/latest/reference/sns/subscribe.html).
RENAMED = {("Subscribe", "notification-endpoint"): "endpoint"}
OF_EVERY_COMMAND = {"query", "output"}


def options(words: list[str]) -> dict[str, list[str]]:
    """Each option with what follows it."""
    found, name = {}, None
    for word in words:
        if word.startswith("--"):
            name = word[2:]
            found[name] = []
        elif name is not None:
            found[name].append(word)
    return found


def value(shape, words: list[str]):
    """What an option's words say, as its shape wants it."""
    kind = shape.type_name
    if kind == "boolean":
        return True
    if kind == "list":
        if len(words) == 1 and words[0].lstrip().startswith("["):
            return json.loads(words[0])
        return [value(shape.member, [word]) for word in words]
    (word,) = words
    if kind in ("structure", "map"):
        return json.loads(word) if word.lstrip().startswith("{") else shorthand(shape, word)
    if kind in ("integer", "long"):
        return int(word)
    if kind == "timestamp":
        return datetime.datetime.fromisoformat(word.replace("Z", "+00:00"))
    return word


def shorthand(shape, word: str) -> dict:
    """`Name=value,Other=value` (https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-shorthand.html)."""
    said = {}
    for pair in word.split(","):
        name, _, text = pair.partition("=")
        of = shape.value if shape.type_name == "map" else shape.members[name]
        said[name] = text == "true" if of.type_name == "boolean" else value(of, [text])
    return said


def as_text(found) -> str:
    """As `--output text` writes it."""
    if isinstance(found, list):
        if any(isinstance(one, list) for one in found):
            return "\n".join(as_text(one) for one in found)
        return "\t".join(as_text(one) for one in found)
    return "None" if found is None else str(found)


def parameters(model, given: dict[str, list[str]]) -> dict:
    shape = model.input_shape
    members = {xform_name(name, "-"): name for name in (shape.members if shape else {})}
    said = {}
    for name, words in given.items():
        if name in OF_EVERY_COMMAND:
            continue
        name = RENAMED.get((model.name, name), name)
        if name not in members:
            raise SystemExit(f"aws: {model.name} has no option --{name}")
        said[members[name]] = value(shape.members[members[name]], words)
    problems = ParamValidator().validate(said, shape).generate_report() if shape else ""
    if problems:
        raise SystemExit(f"aws: {model.name}: {problems}")
    return said


def main(words: list[str]) -> int:
    service, operation, *rest = words
    waits = operation == "wait"
    if waits:
        operation, *rest = rest
    given = options(rest)
    is_checked = "AWS_ONLY_CHECKED" in os.environ
    if (service, operation) in ADDED:
        assert set(given) <= ADDED[service, operation] | OF_EVERY_COMMAND, words
        return 0
    client = botocore.session.get_session().create_client(service)
    if waits:
        waiter = client.get_waiter(operation.replace("-", "_"))
        model = client.meta.service_model.operation_model(waiter.config.operation)
    else:
        names = {xform_name(name, "-"): name for name in client.meta.service_model.operation_names}
        if operation not in names:
            raise SystemExit(f"aws: {service} has no operation {operation}")
        model = client.meta.service_model.operation_model(names[operation])
    said = parameters(model, given)
    query = jmespath.compile(given["query"][0]) if "query" in given else None
    if is_checked:
        print("SOMETHING_OF_THE_TESTS")
        return 0
    if waits:
        waiter.wait(**said)
        return 0
    answer = getattr(client, xform_name(model.name))(**said)
    answer.pop("ResponseMetadata", None)
    found = query.search(answer) if query else answer
    print(as_text(found) if given.get("output") == ["text"] else json.dumps(found, default=str))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
