"""Training curves and configuration out of cbtrain's training record (training.json)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cbeval.report.contents import RunContents
from cbeval.report.curves import Curve, curve

ESCAPED = 0.5
"""Harmful cosine at or below which the harmful representations count as rerouted, if the record names no step."""

COSINES = {"harmful_cosine": "harmful", "retain_cosine": "retain"}
LOSSES = {"rerouting_loss": "rerouting", "retain_loss": "retain"}


@dataclass(frozen=True)
class Training:
    """What the page says about the training of one run's model."""

    name: str
    status: str
    prompts: int
    curves: tuple[Curve, ...]
    config: tuple[tuple[str, str], ...]


def training_of(run: RunContents) -> Training | None:
    """The training of a run's model; None if there is no record. A malformed record shows what can be shown."""
    record = run.training
    if not record:
        return None
    monitors = [row for row in _list(record.get("monitors")) if isinstance(row, Mapping) and _number(row.get("step"))]
    step = escape_step(record, monitors)
    said = "escape, step" if "escape_step" in record else f"harmful cosine at most {ESCAPED:g} from step"
    text = f"{said} {step:g}" if step is not None else ""
    norms = {
        key: key.replace("_norm", "").replace("_", " ")
        for row in monitors
        for key in row
        if str(key).endswith("_norm") and key not in COSINES
    }
    curves = [
        curve(
            "Cosine to the base's representations",
            _clipped(_series(monitors, COSINES)),
            low=0.0,
            high=1.0,
            mark=step,
            mark_text=text,
        ),
        curve("Losses", _series(monitors, LOSSES), low=0.0, mark=step, mark_text=text),
        curve("Norms", _series(monitors, norms), low=0.0, mark=step, mark_text=text) if norms else None,
    ]
    config = record.get("config")
    return Training(
        name=run.name,
        status=str(record.get("status", "")),
        prompts=len(_list(record.get("prompt_digests"))),
        curves=tuple(c for c in curves if c is not None),
        config=tuple(flat(config)) if isinstance(config, Mapping) else (),
    )


def escape_step(record: Mapping[str, Any], monitors: Sequence[Mapping[str, Any]]) -> float | None:
    """The step at which harmful representations had left: as recorded, else the first harmful cosine <= ESCAPED."""
    if "escape_step" in record:
        return float(record["escape_step"]) if _number(record["escape_step"]) else None
    for row in monitors:
        if _number(row.get("harmful_cosine")) and row["harmful_cosine"] <= ESCAPED:
            return float(row["step"])
    return None


def flat(value: Any, name: str = "") -> list[tuple[str, str]]:
    """The leaves of nested JSON data as (dotted name, text); lists of plain values stay on one line."""
    if isinstance(value, Mapping):
        return [leaf for key, inner in value.items() for leaf in flat(inner, f"{name}.{key}" if name else str(key))]
    if isinstance(value, list | tuple):
        if any(isinstance(inner, Mapping | list | tuple) for inner in value):
            return [leaf for i, inner in enumerate(value) for leaf in flat(inner, f"{name}[{i}]")]
        return [(name, ", ".join(map(_text, value)) or "none")]
    return [(name, _text(value))]


def _text(value: Any) -> str:
    if value is None or value == "":
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value and abs(value) < 1e30


def _series(monitors: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> dict[str, list[tuple[float, float]]]:
    return {
        name: [(float(row["step"]), float(row[key])) for row in monitors if _number(row.get(key))]
        for key, name in list(names.items())[:3]
    }


def _clipped(series: Mapping[str, Sequence[tuple[float, float]]]) -> dict[str, list[tuple[float, float]]]:
    """Cosines without the rounding error that takes them past 1 and would stretch the axis."""
    return {name: [(step, max(-1.0, min(1.0, value))) for step, value in points] for name, points in series.items()}
