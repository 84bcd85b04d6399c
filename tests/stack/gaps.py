"""What ministack 1.5.33 lacks of what the template asks for, and the ways round it: all of them stand here.

Each gap is got round where it is met, and only after ministack itself was let try: what it does by itself now is a gap
that has closed, and the test says so. A gap that nothing meets any more is told as well.
"""

import contextlib
import inspect
import json
import re
import time
from collections.abc import Callable

from ministack.core import iam_actions, iam_evaluator
from ministack.core.arn import parse_arn
from ministack.services import apigateway, cloudwatch_logs, dynamodb_streams, eventbridge, pipes, s3
from ministack.services.cloudformation import provisioners

# By the name of each gap: why it is one, how often it was met, and whether ministack did it itself.
GAPS: dict[str, dict] = {}


class Gap:
    """One gap: `met` says that ministack still has it, `closed` that it has no longer."""

    def __init__(self, name: str, reason: str):
        self.said = GAPS.setdefault(name, {"reason": reason, "met": 0, "closed": False})

    def met(self, still: bool = True) -> None:
        self.said["met" if still else "closed"] = self.said["met"] + 1 if still else True


def around(kind: str, change: Callable) -> None:
    """Makes resources of a type by `change`, which gets ministack's own way to make them."""
    handler = provisioners._RESOURCE_HANDLERS[kind]
    create = handler["create"]
    handler["create"] = lambda logical_id, props, stack: change(create, logical_id, props, stack)


def metric_math() -> None:
    gap = Gap("metric math", "an alarm over an expression is refused: it is taken, and never rings")

    def create(original: Callable, logical_id: str, props: dict, stack: str):
        if not props.get("Metrics"):
            return original(logical_id, props, stack)
        try:
            made = original(logical_id, props, stack)
        except ValueError as error:
            gap.met("metric math" in str(error))
            name = f"{stack}-{logical_id}"
            return name, {"Arn": f"arn:aws:cloudwatch:eu-west-1:123456789012:alarm:{name}"}
        gap.met(False)
        return made

    around("AWS::CloudWatch::Alarm", create)
    # What was never stored is not there to be deleted.
    handler = provisioners._RESOURCE_HANDLERS["AWS::CloudWatch::Alarm"]
    delete = handler["delete"]

    def forget(name: str, props: dict) -> None:
        if not props.get("Metrics"):
            delete(name, props)

    handler["delete"] = forget


def openapi_body() -> None:
    gap = Gap("OpenAPI body", "an HTTP API's `Body` is not imported: its routes and authorizers are made one by one")

    def create(original: Callable, logical_id: str, props: dict, stack: str):
        made = original(logical_id, props, stack)
        api, body = made[0], props.get("Body") or {}
        if body.get("paths"):
            gap.met(not apigateway._routes[api])
            import_body(api, body)
        return made

    around("AWS::ApiGatewayV2::Api", create)


def import_body(api: str, body: dict) -> None:
    """What API Gateway makes of the extensions of a description
    (https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html)."""
    authorizers = {}
    for name, scheme in body.get("components", {}).get("securitySchemes", {}).items():
        said = scheme["x-amazon-apigateway-authorizer"]
        jwt = said["jwtConfiguration"]
        props = {"ApiId": api, "Name": name, "AuthorizerType": said["type"].upper(), "IdentitySource": [said["identitySource"]]}
        props["JwtConfiguration"] = {"Issuer": jwt["issuer"], "Audience": jwt["audience"]}
        authorizers[name] = provisioners._apigw_v2_authorizer_create(name, props, "")[0]
    for path, methods in body["paths"].items():
        for method, operation in methods.items():
            said = operation["x-amazon-apigateway-integration"]
            props = {"ApiId": api, "IntegrationUri": said["uri"], "PayloadFormatVersion": said["payloadFormatVersion"]}
            target = provisioners._apigw_v2_integration_create("", props, "")[0]
            verb = "ANY" if method == "x-amazon-apigateway-any-method" else method.upper()
            key = "$default" if path == "/$default" else f"{verb} {path}"
            route = {"ApiId": api, "RouteKey": key, "Target": f"integrations/{target}"}
            for scheme in (name for need in operation.get("security", []) for name in need if name in authorizers):
                route |= {"AuthorizationType": "JWT", "AuthorizerId": authorizers[scheme]}
            provisioners._apigw_v2_route_create("", route, "")


def environment_of_numbers() -> None:
    gap = Gap("numbers in an environment", "they stay numbers, and the function's process does not start: they become texts")

    def create(original: Callable, logical_id: str, props: dict, stack: str):
        made = original(logical_id, props, stack)
        given = props.get("Environment", {}).get("Variables", {})
        kept = provisioners._lambda_svc._functions[made[0]]["config"]["Environment"]["Variables"]
        for name in [name for name, value in given.items() if not isinstance(value, str)]:
            gap.met(not isinstance(kept[name], str))
            kept[name] = str(kept[name])
        return made

    around("AWS::Lambda::Function", create)


def concurrency_by_reference() -> None:
    gap = Gap("concurrency by reference", "`MaximumConcurrency` from a parameter stays a text, and its poller dies: it becomes a number")

    def create(original: Callable, logical_id: str, props: dict, stack: str):
        made = original(logical_id, props, stack)
        kept = provisioners._lambda_svc._esms[made[0]].get("ScalingConfig", {})
        if isinstance(props.get("ScalingConfig", {}).get("MaximumConcurrency"), str):
            gap.met(isinstance(kept["MaximumConcurrency"], str))
            kept["MaximumConcurrency"] = int(kept["MaximumConcurrency"])
        return made

    around("AWS::Lambda::EventSourceMapping", create)


def events_into_logs() -> None:
    gap = Gap("log group as a target", "a rule does not write into one: its events are written there as EventBridge writes them")
    original = eventbridge._invoke_target

    def invoke(target: dict, event: dict, rule: dict, view=None) -> None:
        spec = parse_arn(target.get("Arn", ""))
        if spec.service != "logs":
            return original(target, event, rule, view)
        group = cloudwatch_logs._log_groups[spec.resource.removeprefix("log-group:")]
        before = len(group["streams"])
        original(target, event, rule, view)
        gap.met(len(group["streams"]) == before)
        view = view or eventbridge._pattern_event_view(event)
        name = f"{time.time_ns()}"
        said = {"logGroupName": spec.resource.removeprefix("log-group:"), "logStreamName": name}
        cloudwatch_logs._create_log_stream(said)
        line = {"timestamp": time.time_ns() // 1_000_000, "message": json.dumps(view.event_with_detail())}
        cloudwatch_logs._put_log_events(said | {"logEvents": [line]})

    eventbridge._invoke_target = invoke


def pipes_to_bus_and_queue() -> None:
    gap = Gap("pipes to a bus or a queue", "they hold their records: the test's own pump delivers")
    original = pipes._deliver_batch

    def deliver(pipe: dict, batch: list) -> bool:
        gap.met(not original(pipe, batch))
        return True

    pipes._deliver_batch = deliver


# Types of resources that it does not know at all.
UNKNOWN = {
    "AWS::CodeDeploy::Application": "versions do not go over by and by: an alias names the new one at once",
    "AWS::CodeDeploy::DeploymentGroup": "versions do not go over by and by: an alias names the new one at once",
    "AWS::Logs::QueryDefinition": "a saved query is not kept: nothing asks for it",
}


def unknown_types() -> None:
    def taken(kind: str) -> dict[str, Callable]:
        def create(logical_id: str, props: dict, stack: str):
            Gap(kind, UNKNOWN[kind]).met()
            return f"{stack}-{logical_id}", {}

        return {"create": create, "delete": lambda name, props: None}

    for kind, reason in UNKNOWN.items():
        if kind in provisioners._RESOURCE_HANDLERS:
            Gap(kind, reason).met(False)
        provisioners._RESOURCE_HANDLERS.setdefault(kind, taken(kind))


def leading_keys() -> None:
    gap = Gap("dynamodb:LeadingKeys", "the condition key is not known, so every key is allowed: it gets the keys of the whole request")
    original = iam_actions.dynamodb_service_context

    def context(body: bytes) -> dict:
        known = original(body)
        gap.met("dynamodb:LeadingKeys" not in known)
        items = items_of(json.loads(body or b"{}"))
        keys = [key for _, key in items if key is not None]
        # `stack:items` is for the recording: what each item of a transaction is asked for.
        return known | ({"dynamodb:LeadingKeys": keys, "stack:items": items} if keys else {})

    iam_actions.dynamodb_service_context = context


def items_of(request: dict) -> list[list]:
    """Kind and partition key of each item of a request; without a kind when the request is of one item."""
    if "TransactItems" in request:
        return [[kind, partition(item)] for one in request["TransactItems"] for kind, item in one.items()]
    return [[None, partition(request)]]


def partition(request: dict) -> str | None:
    if condition := request.get("KeyConditionExpression"):
        name = re.search(r"pk\s*=\s*(:\w+)", condition)[1]
        return request["ExpressionAttributeValues"][name]["S"]
    item = request.get("Key") or request.get("Item") or {}
    return item.get("pk", {}).get("S")


def streams() -> None:
    gap = Gap("streams as resources", "a call of a stream is of no resource, and denied: it is of the stream that it names")
    original = iam_actions.extract_resource_arn

    def resource(service: str, method: str, path: str, headers: dict, body: bytes, *rest) -> str:
        known = original(service, method, path, headers, body, *rest)
        if service != "dynamodbstreams":
            return known
        said = json.loads(body or b"{}")
        arn = said.get("StreamArn")
        if iterator := said.get("ShardIterator"):
            arn = dynamodb_streams._decode_iterator(iterator)["arn"]
        if arn:
            gap.met(known == "*")
        return arn or known

    iam_actions.extract_resource_arn = resource


def encryption_context() -> None:
    gap = Gap("kms:EncryptionContext", "the condition keys are not known, so that sealing is denied: they get what the request says")
    original = iam_actions.request_tag_context

    def context(service: str, action: str, body: bytes, params: dict) -> dict:
        known = original(service, action, body, params)
        if service != "kms":
            return known
        with contextlib.suppress(json.JSONDecodeError):
            said = json.loads(body or b"{}").get("EncryptionContext") or {}
            keys = {f"kms:EncryptionContext:{name}": value for name, value in said.items()}
            if keys:
                gap.met(not keys.keys() & known.keys())
            return known | keys
        return known

    iam_actions.request_tag_context = context


def gone_or_denied() -> None:
    gap = Gap("gone or denied", "whoever may not list is told of an object that is gone: who may not gets 403, as from S3")
    original = iam_evaluator.enforce

    def enforce(access_key, action, service, region, resource_arn="*", service_context=None):
        denied = original(access_key, action, service, region, resource_arn=resource_arn, service_context=service_context)
        bucket, _, key = resource_arn.partition("/")
        if denied or action != "s3:GetObject" or s3._get_object_data(bucket.rpartition(":")[2], key) is not None:
            return denied
        gap.met("ListBucket" not in inspect.getsource(s3._get_object))
        # By its name in the module: whoever has wrapped it sees this question, too.
        return iam_evaluator.enforce(access_key, "s3:ListBucket", service, region, resource_arn=bucket, service_context={})

    iam_evaluator.enforce = enforce


def get_round() -> None:
    """Gets round every gap; before the first request."""
    metric_math()
    openapi_body()
    environment_of_numbers()
    concurrency_by_reference()
    events_into_logs()
    pipes_to_bus_and_queue()
    unknown_types()
    leading_keys()
    streams()
    encryption_context()
    gone_or_denied()
