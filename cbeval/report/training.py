"""Training curves and configuration out of cbtrain's training record (training.json)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cbeval.report.contents import RunContents
from cbeval.report.curves import Curve, curve

LAYERS = 4
"""Target layers in the chart; of more, evenly spread ones."""


@dataclass(frozen=True)
class Training:
    """What the page says about the training of one run's model."""

    name: str
    tags: tuple[str, ...]
    curves: tuple[Curve, ...]
    facts: tuple[tuple[str, str], ...]


def training_of(run: RunContents) -> Training | None:
    """The training of a run's model; None if there is no record. A malformed record shows what can be shown."""
    record = run.training
    if not record:
        return None
    monitors = [row for row in _list(record.get("monitors")) if isinstance(row, Mapping) and _number(row.get("step"))]
    step = record.get("escape_step")
    escape = float(step) if isinstance(step, int | float) else None
    said = f"escape, step {escape:g}" if escape is not None else ""
    cosines = {name: _points(monitors, f"{name}_cosine") for name in ("harmful", "retain")}
    losses = {name: _points(monitors, f"{name}_loss") for name in ("rerouting", "retain")}
    norms = {name: _points(monitors, f"{name}_norm_ratio") for name in ("harmful", "retain")}
    curves = (
        curve("Cosine to the base's states", _clipped(cosines), low=0.0, high=1.0, mark=escape, mark_text=said),
        curve("Harmful cosine by layer", _clipped(_layers(monitors)), low=0.0, high=1.0, mark=escape, mark_text=said),
        curve("Losses", losses, low=0.0, mark=escape, mark_text=said),
        curve("Norms over the base's", norms, low=0.0, mark=escape, mark_text=said),
    )
    counts = record.get("counts")
    tags = [f"status {record['status']}"] if record.get("status") else []
    tags += [f"{n} {name} examples" for name, n in counts.items()] if isinstance(counts, Mapping) else []
    tags += ["no escape"] if "escape_step" in record and escape is None else []
    shown = {name: value for name, value in record.items() if name not in ("monitors", "prompt_digests")}
    return Training(run.name, tuple(tags), tuple(c for c in curves if c is not None), tuple(flat(shown)))


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


def _points(monitors: Sequence[Mapping[str, Any]], key: str) -> list[tuple[float, float]]:
    return [(float(row["step"]), float(row[key])) for row in monitors if _number(row.get(key))]


def _layers(monitors: Sequence[Mapping[str, Any]]) -> dict[str, list[tuple[float, float]]]:
    """The harmful cosine of each target layer, from the shallowest to the deepest."""
    rows = [
        {"step": row["step"], **by_layer}
        for row in monitors
        if isinstance(by_layer := row.get("harmful_cosine_by_layer"), Mapping)
    ]
    layers = sorted({key for row in rows for key in row if str(key).isdigit()}, key=int)
    if len(layers) > LAYERS:
        layers = [layers[round(i * (len(layers) - 1) / (LAYERS - 1))] for i in range(LAYERS)]
    return {f"layer {layer}": _points(rows, layer) for layer in layers}


def _clipped(series: Mapping[str, Sequence[tuple[float, float]]]) -> dict[str, list[tuple[float, float]]]:
    """Cosines without the rounding error that takes them past 1 and would stretch the axis."""
    return {name: [(step, max(-1.0, min(1.0, value))) for step, value in points] for name, points in series.items()}
