"""Judges what a run recorded: every call of every role by the policies as they were deployed, and every filter of a pipe by
another matcher than ours. Ends with 1, and says what is wrong, when anything is.

No page of AWS says whether `dynamodb:LeadingKeys` holds, in a transaction, the key of each item in turn or the keys of all:
every call is judged in both ways.

usage: judge.py FOLDER
"""

import json
import sys
from pathlib import Path

from ministack.core.iam_evaluator import EvalContext, ParsedStatement, evaluate, parse_policy_document
from moto.events.models import EventPattern

# Statements that no call of a run needs, by the role's logical id and their own: why they are there.
UNUSED = {
    ("JobsPipeRole", "StrandMessages"): "a pipe uses it for what it could not deliver for 20 hours",
    ("ChunksPipeRole", "StrandMessages"): "a pipe uses it for what it could not deliver for 20 hours",
}
ITEM_ACTIONS = {
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
    "Delete": "dynamodb:DeleteItem",
    "ConditionCheck": "dynamodb:ConditionCheckItem",
}


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def judgements(call: dict) -> list[tuple]:
    """The call as the evaluator is asked about it: as a whole, and by item."""
    context = dict(call["context"])
    items = context.pop("stack:items", [])
    contexts = [context]
    for kind, key in items:
        if kind is None or ITEM_ACTIONS[kind] == call["action"]:
            contexts.append(context | {"dynamodb:LeadingKeys": [key]})
    return [(call["action"], call["resource"], json.dumps(context, sort_keys=True)) for context in contexts]


def is_allowed(judgement: tuple, statements: list[ParsedStatement]) -> bool:
    action, resource, context = judgement
    asked = {key.lower(): value for key, value in json.loads(context).items()}
    arn = "arn:aws:sts::123456789012:assumed-role/role/session"
    given = EvalContext(arn, "AssumedRole", "123456789012", action, resource, "eu-west-1", service_context=asked)
    return evaluate(given, [statements]).decision == "Allow"


def judge_rights(folder: Path) -> list[str]:
    faults = []
    calls = lines(folder / "calls.jsonl") + lines(folder / "by-aws.jsonl")
    faults += [f"denied by the emulator: {call}" for call in calls if call["denied"]]
    rights = json.loads((folder / "rights.json").read_text())
    known = {(said["name"], one["Sid"]) for said in rights.values() for one in said["statements"] if "Sid" in one}
    faults += [f"no such statement any more: {gone}" for gone in UNUSED.keys() - known]
    needed = 0
    for role, said in rights.items():
        asked = {judgement for call in calls if call["role"] == role for judgement in judgements(call)}
        statements = [parse_policy_document({"Statement": [one]})[0] for one in said["statements"]]
        denied = [one for one in asked if not is_allowed(one, statements)]
        faults += [f"{said['name']} may not {action} on {resource} with {context}" for action, resource, context in denied]
        for place, statement in enumerate(said["statements"]):
            others = statements[:place] + statements[place + 1:]
            is_needed = any(not is_allowed(one, others) for one in asked)
            name = statement.get("Sid", statement["Action"])
            is_known = (said["name"], name) in UNUSED
            needed += is_needed
            if is_needed == is_known:
                faults.append(f"{said['name']}: {name} is {'needed after all' if is_known else 'not needed by any call'}")
    print(f"{len(calls)} calls of {len(rights)} roles; without any one of {needed} statements some would be denied")
    return faults


def judge_pipes(folder: Path) -> list[str]:
    faults = []
    pipes = json.loads((folder / "pipes.json").read_text())
    records = lines(folder / "records.jsonl")
    for record in records:
        patterns = [EventPattern.load(json.dumps(pattern)) for pattern in pipes[record["pipe"]]]
        is_let = any(pattern.matches_event(record["event"]) for pattern in patterns)
        if is_let != (record["sent"] is not None):
            faults.append(f"{record['pipe']}: ours says otherwise than moto of {record['event']}")
        if record["sent"] is not None:
            json.loads(record["sent"])
    print(f"{len(records)} records, of which {sum(one['sent'] is not None for one in records)} were sent on")
    return faults


def main(folder: Path) -> int:
    faults = judge_rights(folder) + judge_pipes(folder)
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    sys.exit(main(Path(sys.argv[1])))
