"""Reading a release policy: YAML in, a checked `Policy` or one line of error out."""

import hashlib
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from cbeval.compare.text import plain
from cbeval.errors import UsageError
from cbeval.gate.policy import Check, Policy, nearest


def read_policy(path: Path) -> Policy:
    """Read a policy file. Raises UsageError with one line that names the file, the check and the way out."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read policy {path}: {error.strerror or error}") from error
    try:
        content = yaml.load(data, Loader=_PolicyLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise UsageError(f"policy {place} is no valid YAML: {error.problem or error.context}") from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"policy {path} is no valid YAML: {str(error).splitlines()[0]}") from error
    if not isinstance(content, dict):
        raise UsageError(f"policy {path} must be a mapping with name and checks, not {_kind(content)}")
    try:
        policy = Policy.model_validate({**content, "digest": hashlib.sha256(data).hexdigest()})
    except ValidationError as error:
        raise UsageError(plain(f"policy {path}: {_first_problem(error, content)}")) from error
    if "digest" in content:
        raise UsageError(f"policy {path}: field 'digest' is unknown; it is computed from the file")
    return policy


class _PolicyLoader(yaml.SafeLoader):
    """YAML 1.2's plain values: only true and false are booleans, so that the key `on` stays a word; no key twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.MarkedYAMLError(problem=f"'{key.value}' is given twice", problem_mark=key.start_mark)
                seen.add(key.value)
        return super().construct_mapping(node, deep)


_PolicyLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool" or first in "tTfF"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _first_problem(error: ValidationError, content: dict[str, Any]) -> str:
    """One line on the first problem of a policy: which check, what, and how else. Misspelt fields come first."""
    problems = error.errors(include_url=False)
    problem = next((found for found in problems if found["type"] == "extra_forbidden"), problems[0])
    place, kind, value = list(problem["loc"]), problem["type"], problem["input"]
    where, known = "", [name for name in Policy.model_fields if name != "digest"]
    if len(place) > 1 and place[0] == "checks" and isinstance(place[1], int):
        where = _check_name(place[1], content["checks"][place[1]])
        place, known = place[2:], list(Check.model_fields)
    field = ".".join(map(str, place))
    if kind == "extra_forbidden":
        return f"{where}field '{field}' is unknown; {nearest(field, known)}"
    if kind == "missing":
        return f"{where}field '{field}' is missing"
    if kind == "value_error":
        return f"{where}{problem['ctx']['error']}"
    if field == "checks":
        return "checks must be a list of at least one check"
    if not field:
        return f"{where}a check must be a mapping with metric, suite and a rule, not {_kind(value)}"
    if field == "must_fall":
        return f"{where}must_fall can only be true; leave it out otherwise"
    if kind == "less_than_equal":
        return f"{where}{field} is a proportion between 0 and 1, not {value} (8 % is 0.08)"
    return f"{where}{field} {problem['msg'].removeprefix('Input ')}, not {value!r}"


def _check_name(index: int, check: object) -> str:
    name = f"check {index + 1}"
    if isinstance(check, dict) and isinstance(check.get("metric"), str):
        name += f" ({check['metric']} on {check.get('suite', '?')})"
    return f"{name}: "


def _kind(content: object) -> str:
    return "an empty file" if content is None else f"the {type(content).__name__} {content!r:.40}"
