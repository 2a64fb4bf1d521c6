"""A synthesised template, read the way its tests want to speak of it: by the names of constructs."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aws_cdk import App
from aws_cdk.assertions import Template

from infra.app import build
from infra.constructs.layers import NO_BYTECODE

ROOT = Path(__file__).resolve().parents[2]

FUNCTIONS = (
    "ocpi_versions",
    "ocpi_credentials",
    "ocpi_sessions",
    "ocpi_charging_profiles",
    "ocpi_fallback",
    "ocpi_pairing",
    "csms_events",
    "csms_frames",
    "csms_sessions",
    "csms_callback",
    "relay_outbox",
    "send_charger_commands",
    "deliver_results",
    "ingest_csms_events",
    "push_updates",
    "sweep",
    "session_widget",
)

DOMAIN = "ocpi.example.com"
CERTIFICATE = "arn:aws:acm:eu-west-1:111111111111:certificate/0a1b-2c3d"

Properties = dict[str, Any]


def make_source_tree(root: Path) -> Path:
    """Write the least that functions and layers can be made from: what is tested is the stack, not the handlers."""
    for name in FUNCTIONS:
        folder = root / "functions" / name
        folder.mkdir(parents=True)
        (folder / "handler.py").write_text(f'NAME = "{name}"\n')
    package = root / "layers" / "bridge" / "python" / "ocpi_bridge"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    dependencies = root / "layers" / "dependencies"
    dependencies.mkdir(parents=True)
    (dependencies / "requirements.txt").touch()
    return root


def synthesise(source_root: Path, outdir: Path, **context: str) -> "StackTemplate":
    """Synthesise a stage as `cdk synth` does, findings of cdk-nag included, but without making bundles."""
    settings = json.loads((ROOT / "cdk.json").read_text())["context"]
    app = App(
        outdir=str(outdir),
        context={
            **settings,
            "aws:cdk:bundling-stacks": [],
            "aws:cdk:enable-path-metadata": True,
            "source_root": str(source_root),
            **context,
        },
    )
    stack = build(app)
    document = dict(Template.from_stack(stack).to_json())
    reports = json.loads((outdir / "validation-report.json").read_text())["pluginReports"]
    rules = [str(violation["ruleName"]) for report in reports for violation in report["violations"]]
    # What this machine lacks is no finding about the stack.
    findings = [rule for rule in rules if rule != f"Annotation::{NO_BYTECODE}"]
    edge = outdir / f"{stack.stack_name}-edge.template.json"
    return StackTemplate(
        document, findings, StackTemplate(json.loads(edge.read_text()), findings) if edge.exists() else None
    )


@dataclass
class StackTemplate:
    """The template's resources, by type or by the path of their construct (without the stack's name).

    `findings` are cdk-nag's, of all stacks of the stage; `edge` is the template of the stage's edge, where it has one.
    """

    document: Properties
    findings: list[str]
    edge: "StackTemplate | None" = None
    paths: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.paths = {
            logical_id: resource["Metadata"]["aws:cdk:path"].split("/", 1)[1].removesuffix("/Resource")
            for logical_id, resource in self.document["Resources"].items()
            if "aws:cdk:path" in resource.get("Metadata", {})
        }

    def of_type(self, kind: str) -> Iterator[tuple[str, Properties]]:
        """Path and properties of each resource of this type."""
        for logical_id, resource in self.document["Resources"].items():
            if resource["Type"] == kind:
                yield self.paths[logical_id], resource.get("Properties", {})

    def resource(self, path: str) -> Properties:
        """The whole resource at this path."""
        (logical_id,) = (name for name, place in self.paths.items() if place == path)
        found: Properties = self.document["Resources"][logical_id]
        return found

    def name(self, value: object) -> str:
        """A value of the template as a short text: `Tables/Sessions`, `Tables/Sessions.StreamArn`, joined texts."""
        match value:
            case str():
                return value
            case {"Ref": str(target)}:
                return self.paths.get(target, f"<{target}>")
            case {"Fn::GetAtt": [str(target), "Arn"]}:
                return self.paths[target]
            case {"Fn::GetAtt": [str(target), str(attribute)]}:
                return f"{self.paths[target]}.{attribute}"
            case {"Fn::Join": [str(between), [*parts]]}:
                return between.join(self.name(part) for part in parts)
            case {"Fn::Select": [_, {"Fn::Split": [_, whole]}]}:
                return self.name(whole)
        raise AssertionError(f"no short name for {value}")

    def functions(self) -> Iterator[tuple[str, Properties]]:
        """Folder name and properties of each function."""
        for path, properties in self.of_type("AWS::Lambda::Function"):
            yield path.split("/")[1], properties

    def policy(self, function: str) -> set[tuple[str, str]]:
        """Every (action, resource) that the function's role is allowed."""
        allowed: set[tuple[str, str]] = set()
        for path, properties in self.of_type("AWS::IAM::Policy"):
            if path.split("/")[1] != function:
                continue
            for statement in properties["PolicyDocument"]["Statement"]:
                assert statement["Effect"] == "Allow"
                assert "Condition" not in statement
                for action in _several(statement["Action"]):
                    allowed |= {(str(action), self.name(resource)) for resource in _several(statement["Resource"])}
        return allowed


def _several(value: list[object] | object) -> list[object]:
    return value if isinstance(value, list) else [value]
